import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { FolderError, TransientError } from "../../../engine/domain/errors.ts";
import type { Item } from "../../../engine/domain/item.ts";
import type { Receipt } from "../../../engine/domain/provider.ts";
import { formatDate, parseDate, possibleDate } from "../../../engine/providers/imap/dates.ts";
import { imapProvider } from "../../../engine/providers/imap/provider.ts";
import { addAll, item, lookAt } from "../../contracts/provider.ts";
import { type Dovecot, startDovecot } from "../../servers/dovecot.ts";
import type { StoredMail } from "../../servers/imap-client.ts";
import { type ProxyOptions, startProxy } from "../../servers/proxy.ts";
import { addressAt } from "./addresses.ts";

let server: Dovecot;
beforeAll(async () => {
  server = await startDovecot();
});
afterAll(() => server[Symbol.asyncDispose]());

const now = Date.UTC(2024, 5, 1);
const provider = imapProvider({ now: () => now, silenceMs: 1500 });
const letter = "Subject: one\r\n\r\nhello\r\n";

async function addTo(
  at: { host: string; port: number },
  user: string,
  items: Item[],
): Promise<Receipt[]> {
  await using target = await provider.target(addressAt(at, user));
  return await addAll(await target.open("INBOX"), items);
}

async function stored(user: string): Promise<StoredMail[]> {
  await using client = await server.login(user);
  return (await client.dump()).get("INBOX")?.messages ?? [];
}

/** Adds through a proxy; what is thrown is the answer. */
async function through(user: string, options: ProxyOptions, items = [item(1, letter)]) {
  await using proxy = await startProxy(server, options);
  const receipts = await addTo(proxy, user, items).catch((error: unknown) => error);
  return { receipts, commands: proxy.commands };
}

describe("what is kept", () => {
  test("bytes: every line end becomes CRLF, a CR alone and eight-bit bytes stay", async () => {
    const bodies = [
      "Subject: a\n\nbare\nends\n",
      "Subject: b\r\n\r\nmixed\nends\r\n\n",
      "Subject: c\r\n\r\nlone \r inside\r\n",
      Buffer.from("Subject: d \xfc\xe9\r\n\r\n\xff\xfe no end", "latin1"),
      "no header at all\r\n",
      `Subject: e\r\n\r\n${"x".repeat(200_000)}\r\n`,
    ];
    const receipts = await addTo(
      server,
      "bytes",
      bodies.map((body, n) => item(n + 1, body)),
    );
    expect(receipts.map(({ outcome }) => outcome)).toEqual(bodies.map(() => "added"));
    await using client = await server.login("bytes");
    for (const [n, body] of bodies.entries()) {
      const sent = Buffer.from(body).toString("latin1").replace(/\r?\n/g, "\r\n");
      expect((await client.body("INBOX", n + 1)).toString("latin1")).toBe(sent);
    }
  });

  test("a message in pieces is put together the same, wherever it is cut", async () => {
    const whole = "Subject: p\n\r\n\nab\rc\r\nd\n";
    async function* pieces(size: number) {
      for (let at = 0; at < whole.length; at += size) yield Buffer.from(whole.slice(at, at + size));
    }
    const items = [1, 2, 3, 5, 8].map((size, n) => ({ ...item(n + 1, ""), body: pieces(size) }));
    await addTo(server, "pieces", items);
    expect(new Set((await stored("pieces")).map(({ exact }) => exact)).size).toBe(1);
  });

  test("NUL: the message is carried, the rest of it untouched", async () => {
    const receipts = await addTo(server, "nul", [item(1, "Subject: n\r\n\r\na\0b\r\n")]);
    expect(receipts).toMatchObject([{ outcome: "added" }]);
    await using client = await server.login("nul");
    expect((await client.body("INBOX", 1)).toString("latin1")).toMatch(
      /^Subject: n\r\n\r\na.b\r\n$/,
    );
  });

  test("flags: never \\Deleted or \\Recent; what the folder does not keep is noted", async () => {
    const flags = ["\\Seen", "\\Deleted", "\\Recent", "$Label1", "blue"];
    const [all] = await addTo(server, "flags", [item(1, letter, { flags })]);
    const limited = await through(
      "flags",
      {
        rewrite: (line) => line.replace(/PERMANENTFLAGS \(.*\)\]/, "PERMANENTFLAGS (\\Answered)]"),
      },
      [item(2, letter, { flags: ["\\Seen", "\\Answered", "blue"] })],
    );
    expect(all).toMatchObject({ outcome: "added", notes: [] });
    expect(limited.receipts).toMatchObject([{ outcome: "added", notes: ["flags dropped"] }]);
    expect((await stored("flags")).map((mail) => mail.flags)).toEqual([
      ["$Label1", "\\Seen", "blue"],
      ["\\Answered"],
    ]);
  });

  test("a keyword the server refuses is given up, not the message", async () => {
    const [receipt] = await addTo(server, "keyword", [
      item(1, letter, { flags: ["\\Flagged", "a]b"] }),
    ]);
    expect(receipt).toMatchObject({ outcome: "added", notes: ["keywords dropped"] });
    expect(await stored("keyword")).toMatchObject([{ flags: ["\\Flagged"] }]);
  });

  test("dates, to the second; impossible ones are clamped and that is noted", async () => {
    const dates = [Date.UTC(2001, 8, 9, 1, 46, 40), Date.UTC(1969, 0, 1), 0, Date.UTC(2040, 0, 1)];
    const receipts = await addTo(
      server,
      "dates",
      dates.map((createdAt, n) => item(n + 1, letter, { createdAt })),
    );
    expect(receipts.map((receipt) => receipt.outcome === "added" && receipt.notes)).toEqual([
      [],
      ["date clamped"],
      ["date clamped"],
      ["date clamped"],
    ]);
    expect((await stored("dates")).map(({ date }) => date)).toEqual([
      dates[0],
      Date.UTC(1970, 0, 2),
      Date.UTC(1970, 0, 2),
      now,
    ]);
  });

  test("dates are read in any zone, and one that cannot be read is the oldest, never today", () => {
    expect(parseDate("17-Jul-1996 02:44:25 -0700")).toBe(Date.UTC(1996, 6, 17, 9, 44, 25));
    expect(parseDate(" 1-Jan-2020 00:00:00 +0530")).toBe(Date.UTC(2019, 11, 31, 18, 30));
    for (const odd of [
      "",
      "yesterday",
      "17-Juli-1996 02:44:25 +0000",
      "1-Foo-2020 00:00:00 +0000",
    ]) {
      expect(parseDate(odd)).toBe(0);
    }
    expect(formatDate(Date.UTC(2020, 1, 3, 4, 5, 6))).toBe("03-Feb-2020 04:05:06 +0000");
    expect(possibleDate(now + 1, now)).toBe(now);
  });

  test("the UID it got is believed only when it can be true", async () => {
    const uid = async (user: string, rewrite?: (line: string) => string) => {
      const { receipts } = await through(user, { rewrite });
      const [first] = receipts as Receipt[];
      return first?.outcome === "added" ? first.targetUid : first;
    };
    expect(await uid("uidplus")).toBe(1);
    expect(await uid("none", (line) => line.replace(/\[APPENDUID [^\]]*\] /, ""))).toBeNull();
    const swap = (line: string) => line.replace(/APPENDUID (\d+) (\d+)/, "APPENDUID $2 $1");
    expect(await uid("swapped", swap)).toBeNull();
    expect(await uid("odd", (line) => line.replace(/APPENDUID \d+/, "APPENDUID 7"))).toBeNull();
  });

  test("what a server announces as its limit is known before", async () => {
    const rewrite = (line: string) => line.replace(" UIDPLUS", " UIDPLUS APPENDLIMIT=1000");
    await using proxy = await startProxy(server, { rewrite });
    await using limited = await provider.target(addressAt(proxy, "limit"));
    await using free = await provider.target(addressAt(server, "limit"));
    expect([limited.maxItemSize, free.maxItemSize]).toEqual([1000, null]);
  });
});

describe("what is refused", () => {
  test("over quota is told as full, in the server's words", async () => {
    await using small = await startDovecot({ quota: "40k" });
    const big = `Subject: big\r\n\r\n${"x".repeat(15_000)}\r\n`;
    const receipts = await addTo(
      small,
      "anna",
      [1, 2, 3, 4].map((uid) => item(uid, big)),
    );
    expect(receipts.map(({ outcome }) => outcome)).toEqual([
      "added",
      "added",
      "refused",
      "refused",
    ]);
    expect(receipts[2]).toMatchObject({ full: true, reason: expect.stringMatching(/quota/i) });
  });

  test("a message too large is refused alone: the next goes on", async () => {
    await using strict = await startDovecot({ maxMailSize: "10k" });
    const big = `Subject: big\r\n\r\n${"x".repeat(15_000)}\r\n`;
    const receipts = await addTo(strict, "anna", [item(1, big), item(2, letter)]);
    expect(receipts).toMatchObject([
      { outcome: "refused", full: false, reason: expect.stringMatching(/size|large/i) },
      { outcome: "added" },
    ]);
  });

  test.each([
    "NO [SERVERBUG] Internal error occurred.",
    "NO [CORRUPTION] Mailbox is damaged",
    "NO System I/O error",
  ])(
    "a message over which the server breaks down may stand there, and is not sent once more: %s",
    async (words) => {
      const rules = [{ on: /^APPEND/, do: "answer" as const, with: words }];
      const items = [item(1, letter, { flags: ["$Forwarded"] })];
      const { receipts, commands } = await through(`broke-${words.length}`, { rules }, items);
      expect(receipts).toMatchObject([{ outcome: "refused", mayStand: true }]);
      expect(commands.filter((one) => one.startsWith("APPEND"))).toHaveLength(1);
    },
  );

  test("a breakdown over keywords costs the keywords, once the server was asked for the message", async () => {
    const rules = [
      { on: /^APPEND.*Forwarded/, do: "answer" as const, with: "NO [SERVERBUG] Internal error" },
    ];
    const asked = { ...item(1, letter, { flags: ["$Forwarded"] }), wasAskedFor: true };
    const { receipts } = await through("broken-keywords", { rules }, [asked]);
    expect(receipts).toMatchObject([{ outcome: "added", notes: ["keywords dropped"] }]);
  });

  test("a folder one may not write to", async () => {
    const { receipts } = await through("noperm", {
      rules: [{ on: /^APPEND/, do: "answer", with: "NO [NOPERM] Permission denied\x1b[31m" }],
    });
    expect(receipts).toMatchObject([
      { outcome: "refused", full: false, mayStand: false, reason: "Permission denied [31m" },
    ]);
  });
});

describe("what is in doubt", () => {
  const on = /^APPEND/;
  const large = `Subject: big\r\n\r\n${"x".repeat(50_000)}\r\n`;

  test("a connection cut inside the message throws, and nothing was stored", async () => {
    const { receipts } = await through(
      "inside",
      { rules: [{ on, nth: 2, do: "cut in literal", after: 20_000 }] },
      [item(1, letter), item(2, large)],
    );
    expect(receipts).toMatchObject({ waitingFor: "connection", silent: false });
    expect(await stored("inside")).toHaveLength(1);
  });

  test("a connection cut after the message throws the same, and it was stored", async () => {
    for (const [user, body] of [
      ["small", letter],
      ["large", large],
    ] as const) {
      const rules = [{ on, do: "cut before answer" as const }];
      const { receipts } = await through(user, { rules }, [item(1, body)]);
      expect(receipts).toBeInstanceOf(TransientError);
      expect(receipts).toMatchObject({ waitingFor: "connection", silent: false });
      expect(await stored(user)).toHaveLength(1);
    }
  });

  test("a message whose bytes break off is not: nothing of it was sent, and the connection takes the next", async () => {
    await using proxy = await startProxy(server);
    await using target = await provider.target(addressAt(proxy, "broken"));
    const into = await target.open("INBOX");
    for (const start of [letter, large]) {
      const body = (async function* () {
        yield Buffer.from(start);
        throw new FolderError("no more of it");
      })();
      await expect(addAll(into, [{ ...item(1, ""), body }])).rejects.toThrow("no more of it");
    }
    expect(proxy.commands.filter((one) => on.test(one))).toEqual([]);
    expect(await addAll(into, [item(2, letter)])).toMatchObject([{ uid: 2, targetUid: 1 }]);
    expect(await stored("broken")).toHaveLength(1);
  });

  test("a server that says nothing more is told apart: what was sent may still arrive", async () => {
    const rules = [{ on, do: "silence before answer" as const }];
    const { receipts } = await through("silent", { rules });
    expect(receipts).toMatchObject({ waitingFor: "connection", silent: true });
  });

  test("a pause the server wants is told at once, with its length", async () => {
    const words = "BAD Request is throttled. Suggested Backoff Time: 299961 milliseconds";
    const { receipts } = await through("throttled", {
      rules: [{ on, do: "answer", with: words, bye: "later" }],
    });
    expect(receipts).toMatchObject({ waitingFor: "throttled", retryAfterMs: 299_961 });
  });

  test("a server that is out of order for now stops the pass, not the message", async () => {
    const { receipts } = await through("unavailable", {
      rules: [{ on, do: "answer", with: "NO [UNAVAILABLE] Try later" }],
    });
    expect(receipts).toMatchObject({ waitingFor: "server unavailable" });
  });

  test("a user thrown out by the server comes back later", async () => {
    await using target = await provider.target(addressAt(server, "kicked"));
    const into = await target.open("INBOX");
    await server.doveadm("kick", "kicked");
    const adding = addAll(into, [item(1, letter)]);
    await expect(adding).rejects.toMatchObject({ waitingFor: "connection", silent: false });
  });

  test("nothing is looked up behind the back of a server without UIDPLUS", async () => {
    const { commands } = await through("plain", {
      rewrite: (line) => line.replace(" UIDPLUS", "").replace(/\[APPENDUID [^\]]*\] /, ""),
    });
    expect(commands.slice(commands.findIndex((one) => on.test(one)))).toEqual([
      expect.stringMatching(on),
      "LOGOUT",
    ]);
  });
});

test("a target only ever adds: no command it sends can take a message away or change one", async () => {
  await using proxy = await startProxy(server);
  {
    await using target = await provider.target(addressAt(proxy, "adds"));
    await target.folders();
    await target.survey();
    const path = await target.ensure({ segments: ["New"], role: null, parent: null }, new Set());
    await addAll(await target.open("INBOX"), [item(1, letter), item(2, "")]);
    await addAll(await target.open(path), [item(1, letter)]);
    await lookAt(await target.open("INBOX"), 1);
  }
  const verbs = new Set(proxy.commands.map((command) => command.split(" ", 2).join(" ")));
  const allowed =
    /^(ID|CAPABILITY|AUTHENTICATE|NAMESPACE|LIST|STATUS|GETQUOTAROOT|CREATE|SUBSCRIBE|SELECT|APPEND|NOOP|UID FETCH|LOGOUT)\b/;
  expect([...verbs].filter((verb) => !allowed.test(verb))).toEqual([]);
});
