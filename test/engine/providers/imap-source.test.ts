import { fork } from "node:child_process";
import { once } from "node:events";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { FolderError, TransientError } from "../../../engine/domain/errors.ts";
import { uidSets } from "../../../engine/providers/imap/fetch.ts";
import { imapProvider } from "../../../engine/providers/imap/provider.ts";
import { letter, listed, readAll } from "../../contracts/provider.ts";
import { touched } from "../../servers/checker.ts";
import { type Dovecot, startDovecot } from "../../servers/dovecot.ts";
import { type ProxyOptions, startProxy } from "../../servers/proxy.ts";
import { addressAt, deliver } from "./addresses.ts";

let server: Dovecot;
beforeAll(async () => {
  server = await startDovecot();
});
afterAll(() => server[Symbol.asyncDispose]());

const provider = imapProvider({ silenceMs: 1500 });

/** Lists and reads INBOX through a proxy; what is thrown is the answer. */
async function through(user: string, options: ProxyOptions) {
  await using proxy = await startProxy(server, options);
  try {
    await using source = await provider.source(addressAt(proxy, user));
    const folder = await source.open("INBOX");
    const items = await listed(folder.list());
    return { items, read: await readAll(folder.read(items.map(({ uid }) => uid))) };
  } catch (error) {
    return { error };
  }
}

describe("the source is never changed", () => {
  test("flags, UIDNEXT, HIGHESTMODSEQ and bytes are as before; nothing is sent that could change them", async () => {
    const user = "untouched";
    await deliver(server, user, "INBOX", [letter(1), { ...letter(2), flags: ["\\Deleted"] }]);
    await deliver(server, user, "Work", [letter(3)]);
    await using client = await server.login(user);
    const before = await client.dump();
    await using proxy = await startProxy(server);
    {
      await using source = await provider.source(addressAt(proxy, user));
      await source.survey();
      for (const { path } of await source.folders()) {
        const folder = await source.open(path);
        const uids = (await listed(folder.list())).map(({ uid }) => uid);
        expect(await readAll(folder.read(uids))).toHaveLength(uids.length);
      }
    }

    expect(touched(before, await client.dump())).toEqual([]);
    const allowed =
      /^(ID|CAPABILITY|AUTHENTICATE|NAMESPACE|LIST|STATUS|GETQUOTAROOT|EXAMINE|NOOP|UID FETCH|LOGOUT)\b/;
    expect(proxy.commands.filter((command) => !allowed.test(command))).toEqual([]);
    expect(proxy.commands.filter((command) => /BODY\[|RFC822(?!\.SIZE)/.test(command))).toEqual([]);
  });
});

describe("what a folder's numbers mean", () => {
  test("another UIDVALIDITY is seen when the folder is opened, and in the listing of folders", async () => {
    await deliver(server, "renumbered", "INBOX", [letter(1)]);
    await using source = await provider.source(addressAt(server, "renumbered"));
    const { uidValidity } = (await source.open("INBOX")).state;
    await server.doveadm(
      ...["mailbox", "update", "-u", "renumbered", "--uid-validity", `${uidValidity + 7}`, "INBOX"],
    );

    await using again = await provider.source(addressAt(server, "renumbered"));

    const folders = await again.folders();
    const told = folders.find(({ path }) => path === "INBOX")?.state?.uidValidity;
    expect([told, (await again.open("INBOX")).state.uidValidity]).toEqual([
      uidValidity + 7,
      uidValidity + 7,
    ]);
  });

  test("a folder without UIDVALIDITY is refused, others are not", async () => {
    const { error } = await through("nonumbers", {
      rewrite: (line) => (/\[UIDVALIDITY/.test(line) ? null : line),
    });
    expect(error).toBeInstanceOf(FolderError);
    expect(String(error)).toContain("UIDVALIDITY");
  });

  test("a mod-sequence too large for a number is none", async () => {
    await using proxy = await startProxy(server, {
      rewrite: (line) => line.replace(/HIGHESTMODSEQ \d+/, "HIGHESTMODSEQ 9007199254740993"),
    });
    await using source = await provider.source(addressAt(proxy, "modseq"));
    expect((await source.open("INBOX")).state.highestModseq).toBeNull();
  });

  test("sets of UIDs are short, whatever is asked for", () => {
    expect(uidSets([5, 1, 2, 3, 3, 9])).toEqual(["1:3,5,9"]);
    expect(uidSets([])).toEqual([]);
    const scattered = Array.from({ length: 5000 }, (_, n) => n * 7 + 1_000_000);
    const sets = uidSets(scattered);
    expect(sets.every((set) => set.length < 4100)).toBe(true);
    expect(sets.join(",").split(",").map(Number)).toEqual(scattered);
  });
});

describe("what a server may do meanwhile", () => {
  test("a date that cannot be read is the oldest one, and the message is listed", async () => {
    await deliver(server, "dates", "INBOX", [letter(1), letter(2)]);
    const { items } = await through("dates", {
      rewrite: (line) =>
        line.replace(/UID 1 (.*)INTERNALDATE "[^"]*"/, 'UID 1 $1INTERNALDATE "soon"'),
    });
    expect(items?.map(({ uid }) => uid)).toEqual([1, 2]);
    expect(items?.[0]?.createdAt).toBe(0);
    expect(items?.[1]?.createdAt).toBeGreaterThan(0);
  });

  test("unasked news of other messages is no item, and one told twice is one", async () => {
    await deliver(server, "news", "INBOX", [letter(1), letter(2)]);
    const { items, read } = await through("news", {
      rewrite: (line) =>
        line.startsWith("* 1 FETCH") && line.endsWith(")")
          ? `* 2 FETCH (FLAGS (\\Seen))\r\n* 2 FETCH (UID 2 FLAGS (\\Seen))\r\n${line}\r\n${line}`
          : line,
    });
    expect(items?.map(({ uid }) => uid)).toEqual([1, 2]);
    expect(read?.map(({ uid }) => uid)).toEqual([1, 2]);
  });

  test("a connection that ends while it lists or reads is told as that", async () => {
    await deliver(server, "cut", "INBOX", [letter(1)]);
    for (const nth of [1, 2]) {
      const { error } = await through("cut", {
        rules: [{ on: /^UID FETCH/, nth, do: "cut after" }],
      });
      expect(error).toBeInstanceOf(TransientError);
      expect(error).toMatchObject({ waitingFor: "connection", silent: false });
    }
  });

  test("a server that goes silent is told apart", async () => {
    const rules = [{ on: /^UID FETCH/, do: "silence before answer" as const }];
    expect((await through("cut", { rules })).error).toMatchObject({ silent: true });
  });

  test("a server that wants a pause while it lists is told at once", async () => {
    const words = "NO Request is throttled. Suggested Backoff Time: 5000 milliseconds";
    const rules = [{ on: /^UID FETCH/, do: "answer" as const, with: words }];
    expect((await through("cut", { rules })).error).toMatchObject({
      waitingFor: "throttled",
      retryAfterMs: 5000,
    });
  });

  test("a folder that cannot be read is that folder's failure, in the server's words", async () => {
    const rules = [{ on: /^UID FETCH/, do: "answer" as const, with: "NO [SERVERBUG] Corrupted" }];
    const { error } = await through("cut", { rules });
    expect(error).toBeInstanceOf(FolderError);
    expect(String(error)).toContain("Corrupted");
  });

  test("a reader who stops early can go on with something else", async () => {
    const many = Array.from({ length: 300 }, (_, n) => letter(n));
    await deliver(server, "early", "INBOX", many);
    await using source = await provider.source(addressAt(server, "early"));
    const folder = await source.open("INBOX");
    const uids = (await listed(folder.list())).map(({ uid }) => uid);
    for await (const { uid } of folder.read(uids)) if (uid === 3) break;
    expect(await readAll(folder.read([300]))).toMatchObject([{ uid: 300 }]);
  });

  test("a large message comes in pieces with the same bytes, and never cut short", async () => {
    const sizes = [4 * 1024 * 1024, 9_000_000];
    const bodies = sizes.map((size) => {
      const start = "Subject: large\r\n\r\n";
      return start + `${"y".repeat(98)}\r\n`.repeat(size / 100 + 1).slice(0, size - start.length);
    });
    await deliver(server, "pieces", "INBOX", [letter(1), ...bodies.map((body) => ({ body }))]);
    const { read } = await through("pieces", {});
    const texts = new Map(read?.map(({ uid, text, size }) => [uid, { text, size }]));
    for (const [n, body] of bodies.entries()) {
      const there = texts.get(n + 2);
      expect(there?.text.length).toBe(there?.size);
      expect(there?.text.startsWith(body.slice(0, -4))).toBe(true);
    }

    // Expunged after its first piece: half a message is never taken for a whole.
    const { error } = await through("pieces", {
      rules: [{ on: /^UID FETCH 3 .*<4194304\./, do: "answer", with: "OK Fetch completed" }],
    });
    expect(error).toMatchObject({ waitingFor: "connection" });
    expect(String(error)).toContain("vanished while it was read");
  });

  test("an unused connection is kept alive while the other side works", async () => {
    let noops = 0;
    let told = () => {};
    const rewrite = (line: string) => {
      if (line.includes("NOOP completed")) noops += 1;
      if (noops === 2) told();
      return line;
    };
    await using proxy = await startProxy(server, { rewrite });
    const twice = new Promise<void>((resolve) => {
      told = resolve;
    });
    await using source = await imapProvider({ keepAliveMs: 20 }).source(addressAt(proxy, "idle"));
    await twice;
    expect((await source.open("INBOX")).state.count).toBe(0);
  });
});

test("a folder of 100,000 and a message of 50 MB pass through in under 300 MB of memory", async () => {
  const user = "large";
  await using client = await server.login(user);
  await client.create("Many");
  const body = "Subject: s\r\n\r\n";
  await client.appendMany(
    "Many",
    Array.from({ length: 100_000 }, () => ({ body })),
  );
  const line = `${"x".repeat(998)}\r\n`;
  await client.append("INBOX", { body: `Subject: 50 MB\r\n\r\n${line.repeat(50_000)}` });

  const child = fork(new URL("./carry-large.ts", import.meta.url), [
    server.host,
    `${server.port}`,
    user,
  ]);
  const [result] = await once(child, "message");

  expect(result).toMatchObject({ listed: 100_000, bytes: 50_000_018, added: 1 });
  expect(result.peakMegabytes).toBeLessThan(300);
  await using other = await server.login(`${user}-target`);
  const [there] = (await other.dump()).get("INBOX")?.messages ?? [];
  const [here] = (await client.dump()).get("INBOX")?.messages ?? [];
  expect(there?.exact).toBe(here?.exact);
}, 240_000);
