import { describe, expect, test } from "vitest";
import type { Message } from "../../../../bot/message.ts";
import { drawn, openedForm, pressNote, taskMessage } from "../../../../bot/surfaces/teams/cards.ts";
import { fittingCard } from "../../../../bot/surfaces/teams/fit.ts";
import { hostile } from "../../../doubles/hostile.ts";
import { readCard } from "../../../servers/teams-side.ts";

const long = "ü".repeat(3000);

function many(n: number): Message {
  const rows = Array.from({ length: n }, (_, at) => [`mailbox-${at}@old.example`, long, long]);
  return {
    text: Array.from({ length: n }, () => long).join("\n"),
    title: "Long",
    facts: Object.fromEntries(Array.from({ length: n }, (_, at) => [`fact ${at}`, long])),
    table: { columns: ["a", "b", "c"], rows },
    notes: Array.from({ length: n }, () => long),
    buttons: [{ label: "Start", command: "start 3" }],
  };
}

describe("a card for Teams", () => {
  test("is never too big, keeps its buttons and says what is left out", () => {
    for (const n of [1, 5, 40, 400]) {
      const { title: _, table: __, ...untitled } = many(n);
      for (const message of [many(n), untitled, { text: long.repeat(40) }]) {
        const card = fittingCard(message);
        expect(Buffer.byteLength(JSON.stringify(card))).toBeLessThanOrEqual(25_000);
        expect(readCard(card).buttons).toEqual((message as Message).buttons ? ["Start"] : []);
      }
    }
    expect(readCard(fittingCard(many(40))).text).toContain("… and 40 more");
  });

  test("leaves a small message as it is", () => {
    const small: Message = {
      text: "Text.",
      title: "Delta of acme",
      facts: { Licenses: "2" },
      table: { columns: ["a"], rows: [["anna"], ["bob"]] },
      notes: ["Type `start 3`."],
    };
    const lines = readCard(fittingCard(small)).text.split("\n");
    expect(lines).toEqual(["Delta of acme", "Licenses", "2", "a", "anna", "bob", "Type start 3."]);
  });

  test("cuts rows first, notes next, facts and lines last", () => {
    const rows = Array.from({ length: 20 }, () => [long, long, long, long, long]);
    const columns = ["1", "2", "3", "4", "5"];
    const notes = ["First note.", "Second note."];
    const card = fittingCard({ text: "", title: "T", table: { columns, rows }, notes });
    const { text } = readCard(card);
    expect(text).toContain("… and 10 more");
    expect(text).toContain("Second note.");
  });

  test("names the file it cannot hand over", () => {
    const file = { name: "report.csv", content: "a,b" };
    expect(readCard(drawn({ text: "Report.", file })).text).toContain("report.csv is not shown");
  });
});

test.each(hostile)("nothing comes alive of %j", (text) => {
  const message: Message = {
    text,
    title: text,
    facts: { [text]: text },
    table: { columns: [text], rows: [[text]] },
    notes: [text],
    buttons: [{ label: text, command: "start 3" }],
  };
  const form = { title: text, intro: text, submit: text, command: "x", otherwise: "" };
  const fields = [{ name: "a", label: text, hint: text, kind: "text" as const }];
  const all = [
    drawn(message),
    drawn({ text }),
    taskMessage(message),
    openedForm({ ...form, fields }, "teams:a"),
  ];
  for (const one of all) {
    expect(alive(one)).toEqual([]);
    expect(JSON.stringify(one)).not.toMatch(/[\u202a-\u202e\u2066-\u2069\u200b]|\{\{/);
  }
  expect(JSON.stringify(pressNote(text))).not.toMatch(/[\u202a-\u202e\u2066-\u2069\u200b]/);
});

test("the search for what is alive finds what is", () => {
  expect(alive({ type: "TextBlock", text: "[a](https://b)" })).toEqual(["TextBlock"]);
  expect(alive({ text: "<at>Bo</at>", entities: [{}] })).toEqual(["text", "entities"]);
  expect(alive([{ type: "TextRun", selectAction: {} }])).toEqual(["selectAction"]);
});

/** Everything in an activity that a client would read as markup, link or mention. */
function alive(part: unknown): string[] {
  if (Array.isArray(part)) return part.flatMap(alive);
  if (typeof part !== "object" || part === null) return [];
  const { type } = part as { type?: unknown };
  const found = Object.entries(part).flatMap(([name, value]) => {
    const markup = name === "text" && type !== "TextRun";
    const action = ["entities", "selectAction", "url", "msteams"].includes(name);
    return markup || action ? [type === "TextBlock" ? "TextBlock" : name] : alive(value);
  });
  return type === "FactSet" || type === "Action.OpenUrl" ? [String(type), ...found] : found;
}
