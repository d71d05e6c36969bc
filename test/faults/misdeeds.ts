import { setTimeout as delay } from "node:timers/promises";
import { gzipSync } from "node:zlib";
import { fetched, letterOf, type Misdeed, type Talk } from "../servers/hostile-imap.ts";

// What servers may do, by name. A mailbox of that name is served so.

/** Does it to commands that begin so, each time. */
function to(start: RegExp, how: (talk: Talk) => Promise<void>): Misdeed {
  return async (talk) => {
    if (!start.test(talk.command)) return false;
    await how(talk);
    return true;
  };
}

/** Says the same over and over until the client is gone. */
async function endless({ alive, send }: Talk, bytes: string): Promise<void> {
  const much = Buffer.from(bytes.repeat(Math.ceil(65_536 / bytes.length)));
  while (alive()) await send(much);
}

/** Answers as an honest server would, with something before its end. */
const before = (
  start: RegExp,
  more: (talk: Talk) => string,
  honest: (talk: Talk) => string,
): Misdeed => to(start, (talk) => talk.send(`${more(talk)}${honest(talk)}${talk.tag} OK done\r\n`));

const body = /^UID FETCH .*BODY/i;
const listed = () => '* LIST () "/" "INBOX"\r\n* LIST () "/" "Work"\r\n';
const list = /^LIST "" "\*"/;

/** An opened INBOX, with other figures. */
const opened = (exists: string, uidValidity: string, uidNext: string): Misdeed =>
  to(/^EXAMINE "INBOX"/, ({ tag, send }) =>
    send(
      `* ${exists} EXISTS\r\n* OK [UIDVALIDITY ${uidValidity}] v\r\n* OK [UIDNEXT ${uidNext}] n\r\n${tag} OK done\r\n`,
    ),
  );

/** The letters of a misdeed's INBOX. */
const letters = (kind: string, uids = [1, 2, 3]) =>
  uids.map((uid) => ({ uid, body: letterOf(kind, "INBOX", uid), flags: "" }));

/** What an old system may do. */
export const sources: Record<string, Misdeed> = {
  "literal-of-a-terabyte": to(body, async (talk) => {
    await talk.send("* 1 FETCH (UID 1 BODY[]<0> {1099511627776}\r\n");
    await endless(talk, "x");
  }),
  "literals-without-end": to(body, async (talk) => {
    while (talk.alive()) {
      await talk.send("* 1 FETCH (UID 9 BODY[]<0> {60000000}\r\n");
      const much = Buffer.alloc(1_000_000, "x");
      for (let n = 0; n < 60 && talk.alive(); n += 1) await talk.send(much);
      await talk.send(")\r\n");
    }
  }),
  "line-without-end": to(list, async (talk) => {
    await talk.send('* LIST () "/" "');
    await endless(talk, "x ");
  }),
  "words-without-end": to(list, async (talk) => {
    await talk.send("* LIST (");
    await endless(talk, "a ");
  }),
  "word-that-is-copied": to(list, (talk) =>
    endless(talk, `* LIST () "/" a${"[".repeat(60_000)}\r\n`),
  ),
  "texts-without-end": to(list, async (talk) => {
    await talk.send("* LIST (");
    await endless(talk, "{0}\r\n");
  }),
  "answers-without-end": to(/^EXAMINE/, (talk) => endless(talk, "* 5 EXISTS\r\n")),
  "drips-its-answer": to(/^EXAMINE/, async ({ alive, send }) => {
    while (alive()) {
      await send("* OK still there\r\n".charAt(Math.floor(Math.random() * 18)));
      await delay(20);
    }
  }),
  "drips-a-message": to(body, async ({ alive, send }) => {
    await send("* 1 FETCH (UID 1 BODY[]<0> {4000000}\r\n");
    while (alive()) {
      await send("x");
      await delay(20);
    }
  }),
  "message-without-end": async (talk) => {
    if (!body.test(talk.command)) return false;
    const uid = /^UID FETCH (\d+)/.exec(talk.command)?.[1] ?? "1";
    const [, from = "0", length = "0"] = /<(\d+)\.(\d+)>/.exec(talk.command) ?? [];
    const head = `* 1 FETCH (UID ${uid} RFC822.SIZE 4194304 BODY[]<${from}> {${length}}\r\n`;
    await talk.send(head);
    // Each piece another, as those of one large message are.
    await talk.send(Buffer.alloc(Number(length), from));
    await talk.send(`)\r\n${talk.tag} OK done\r\n`);
    return true;
  },
  "literal-too-short": to(body, ({ send, tag }) =>
    send(`* 1 FETCH (UID 1 BODY[]<0> {500}\r\nSubject: short\r\n)\r\n${tag} OK done\r\n`),
  ),
  "name-as-a-path": before(
    list,
    () =>
      ["../../etc/x", "/etc/passwd", "..", "C:\\\\x", "a/../../b"]
        .map((one) => `* LIST () "/" "${one}"\r\n`)
        .join(""),
    listed,
  ),
  "name-of-ten-thousand": before(list, () => `* LIST () "/" "${"x".repeat(10_000)}"\r\n`, listed),
  "name-with-a-command": before(
    list,
    () => '* LIST () "/" {24}\r\nx"\r\nA1 DELETE "INBOX"\r\n\r\n* LIST () "/" {3}\r\na\0b\r\n',
    listed,
  ),
  "depth-of-five-thousand": before(
    list,
    () =>
      `* LIST () "/" ${`"${Array(5000).fill("d").join("/")}"`}\r\n* LIST () "/" "${Array(60).fill("e").join("/")}"\r\n`,
    listed,
  ),
  "million-folders": to(list, async ({ alive, send, tag }) => {
    for (let n = 0; n < 1_000_000 && alive(); n += 1000) {
      await send(Array.from({ length: 1000 }, (_, at) => `* LIST () "/" f${n + at}\r\n`).join(""));
    }
    await send(`${tag} OK done\r\n`);
  }),
  "nested-in-brackets": before(
    list,
    () => `* LIST ${"(".repeat(5000)}${")".repeat(5000)} "/" x\r\n`,
    listed,
  ),
  "hundred-thousand-flags": before(
    /^UID FETCH/,
    () => "",
    ({ command }) => {
      const flags = Array.from({ length: 100_000 }, (_, n) => `k${n}`).join(" ");
      const [first, ...others] = letters("hundred-thousand-flags");
      return fetched(command, [{ ...first!, flags }, ...others]);
    },
  ),
  "uids-that-cannot-be": before(
    /^UID FETCH/,
    () =>
      ["0", "4294967296", "99999999999999999999", "-1", "x"]
        .map(
          (uid) =>
            `* 1 FETCH (UID ${uid} FLAGS () INTERNALDATE "20-Nov-2026 12:00:00 +0000" RFC822.SIZE 5 BODY[]<0> "wrong")\r\n`,
        )
        .join(""),
    ({ command }) => fetched(command, letters("uids-that-cannot-be")),
  ),
  "uids-told-again": before(
    /^UID FETCH/,
    ({ command }) => fetched(command, letters("uids-told-again")).repeat(2000),
    ({ command }) => fetched(command, letters("uids-told-again")),
  ),
  "uids-nobody-asked-for": before(
    body,
    () => fetched("UID FETCH 1:99 (BODY[])", letters("somebody-else", [7, 8, 99])),
    ({ command }) => fetched(command, letters("uids-nobody-asked-for")),
  ),
  "another-ones-body": to(body, ({ command, send, tag }) => {
    const [one, two, three] = letters("another-ones-body");
    return send(
      `${fetched(command, [{ ...one!, body: two!.body }, { ...two!, body: one!.body }, three!])}${tag} OK done\r\n`,
    );
  }),
  "answers-twice": to(/^EXAMINE "INBOX"/, ({ tag, send }) =>
    send(
      `* 3 EXISTS\r\n* OK [UIDVALIDITY 7] v\r\n* OK [UIDNEXT 4] n\r\n${tag} OK done\r\n${tag} OK done\r\n${tag} NO not done\r\n`,
    ),
  ),
  "wrong-tag": to(/^EXAMINE/, ({ send }) => send("ZZ99 OK done\r\n")),
  compressed: async ({ command, tag, send }) => {
    if (/^COMPRESS/.test(command)) await send(`${tag} OK now\r\n`);
    // A gigabyte for whoever unpacks it.
    else if (list.test(command))
      await send(
        Buffer.concat([
          gzipSync(Buffer.alloc(1 << 26)),
          Buffer.from(`\r\n${listed()}${tag} OK done\r\n`),
        ]),
      );
    else return false;
    return true;
  },
  "names-of-objects": before(
    list,
    () =>
      ["__proto__", "constructor", "hasOwnProperty", "toString"]
        .map((one) => `* LIST () "/" "${one}"\r\n`)
        .join(""),
    listed,
  ),
  "keywords-of-objects": before(
    /^UID FETCH/,
    () => "",
    ({ command }) =>
      fetched(
        command,
        letters("keywords-of-objects").map((one) => ({
          ...one,
          flags: "__proto__ constructor \\Seen",
        })),
      ),
  ),
  "four-billion-messages": opened("4000000000", "7", "4"),
  "more-than-can-be": opened("99999999999999999999", "7", "4"),
  "uidvalidity-of-nothing": opened("3", "0", "4"),
  "uidnext-of-words": opened("3", "7", "soon"),
  "state-of-another-folder": opened("2", "8", "3"),
  "goes-on-unasked": async ({ send }) => {
    await send("+ go on\r\n+ go on\r\n");
    return false;
  },
  "says-bye": to(body, async ({ send }) => send("* BYE I have had enough\r\n")),
  "capabilities-of-ten-megabytes": before(
    /^CAPABILITY/,
    () => `* CAPABILITY IMAP4rev1 ${"X-A ".repeat(2_600_000)}\r\n`,
    () => "",
  ),
  "wrong-charset": before(
    list,
    () =>
      '* LIST () "/" "\xff\xfe\xe9"\r\n\0\0* LIST () "/" "a\0b"\r\n* LIST () "/" "&AAA-"\r\n* LIST () "/" "&2AA-"\r\n',
    listed,
  ),
};

/** What a new system may do. */
export const targets: Record<string, Misdeed> = {
  "uid-of-another": to(/^APPEND/, ({ send, tag }) => send(`${tag} OK [APPENDUID 7 1] done\r\n`)),
  "stores-nothing": to(/^APPEND/, ({ send, tag }) => send(`${tag} OK done\r\n`)),
  "drips-its-receipt": to(/^APPEND/, async ({ alive, send }) => {
    while (alive()) {
      await send("*");
      await delay(20);
    }
  }),
  "refuses-in-ten-megabytes": to(/^APPEND/, (talk) => endless(talk, `${talk.tag} NO no`)),
  "nests-its-receipt": to(/^APPEND/, ({ send, tag }) =>
    send(`${tag} OK [X ${"(".repeat(50)}${")".repeat(50)}] done\r\n`),
  ),
  "says-bye-on-append": to(/^APPEND/, ({ send }) => send("* BYE enough\r\n")),
  "folders-without-end": to(list, async (talk) => {
    for (let n = 0; talk.alive(); n += 1) {
      await talk.send(`* LIST () "/" "f${n}"\r\n`.repeat(500));
    }
  }),
  "opens-another-folder": to(/^SELECT "Work"/, ({ send, tag }) =>
    send(`* 9 EXISTS\r\n* OK [UIDVALIDITY 99] v\r\n* OK [UIDNEXT 100] n\r\n${tag} OK done\r\n`),
  ),
};
