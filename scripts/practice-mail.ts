import type { PracticeFolder, PracticeMail } from "./practice-server.ts";

/** Who is in the practice office. */
export const people = ["anna", "bruno", "chloe"] as const;

/** A person's mail at the old place: some hundred mails over the year before `now`, in folders of all sorts. */
export function practiceMailbox(person: (typeof people)[number], now: Date): PracticeFolder[] {
  const shapes: [names: string[], count: number, role?: PracticeFolder["role"]][] = [
    [["INBOX"], 60],
    [["Sent"], 25, "\\Sent"],
    [["Drafts"], 2, "\\Drafts"],
    [["Trash"], 4, "\\Trash"],
    [["Projects"], 0],
    [["Projects", "Harbour"], 12],
    [["Projects", "Harbour", "Offers & prices"], 8],
    [["Rechnungen und Büro"], 9],
    [["Café", "Été 2026"], 5],
    [["旅行"], 3],
  ];
  const offset = people.indexOf(person) * 7;
  return shapes.map(([names, count, role], place) => ({
    names,
    ...(role === undefined ? {} : { role }),
    mail: Array.from(
      { length: count + (count > 8 ? offset : 0) },
      (_, number, last = count + offset) =>
        mail(person, place * 1000 + number, spread(now, number, last)),
    ),
  }));
}

/** Mail that comes in after the pre-stage. */
export function freshMail(
  person: (typeof people)[number],
  now: Date,
  count: number,
): PracticeMail[] {
  return Array.from({ length: count }, (_, number) =>
    mail(person, 90_000 + number, new Date(now.getTime() - number * 60_000), []),
  );
}

const day = 24 * 60 * 60 * 1000;

const subjects = [
  "Offer for the harbour office",
  "Minutes of Tuesday",
  "Invoice, second half",
  "Lunch on Thursday?",
  "Keys for the new building",
  "Übergabe der Unterlagen",
  "Question about the contract",
  "Photos from the summer party",
  "Travel plan, please check",
  "Re: Delivery of the desks",
];

const lines = [
  "thank you for the quick answer. Two points are still open, see below.",
  "could you look at this before Friday? The customer asks every day.",
  "attached is what we talked about. Please tell me if something is missing.",
  "I have moved the meeting by an hour, the room is the same.",
  "Grüße aus dem Büro am Hafen.",
];

function spread(now: Date, number: number, count: number): Date {
  const age = 1 + (number * 364) / Math.max(1, count);
  return new Date(Math.floor((now.getTime() - age * day) / 1000) * 1000);
}

function mail(
  person: string,
  number: number,
  date: Date,
  flags = usualFlags(number),
): PracticeMail {
  const subject = subjects[number % subjects.length] ?? "";
  const writer = people[(number + 1) % people.length] ?? "anna";
  const head = [
    `From: ${writer}@old.example`,
    `To: ${person}@old.example`,
    `Subject: =?utf-8?B?${Buffer.from(`${subject} (${number})`).toString("base64")}?=`,
    `Date: ${date.toUTCString().replace("GMT", "+0000")}`,
    `Message-ID: <${number}.${person}@old.example>`,
    "MIME-Version: 1.0",
    "Content-Type: text/plain; charset=utf-8",
    "Content-Transfer-Encoding: 8bit",
  ];
  const said = lines.slice(number % 3, (number % 3) + 1 + (number % 2)).join("\r\n");
  const quoted = `> ${lines[number % lines.length]}\r\n`.repeat(number % 20);
  return {
    date,
    flags,
    raw: Buffer.from(
      `${head.join("\r\n")}\r\n\r\nHello ${person},\r\n\r\n${said}\r\n\r\n${quoted}`,
    ),
  };
}

function usualFlags(number: number): string[] {
  const flags = number % 5 === 0 ? [] : ["\\Seen"];
  if (number % 7 === 0) flags.push("\\Answered");
  if (number % 11 === 0) flags.push("\\Flagged");
  return flags;
}
