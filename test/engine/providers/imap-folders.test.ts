import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { FolderError } from "../../../engine/domain/errors.ts";
import type { Folder } from "../../../engine/domain/item.ts";
import type { Target } from "../../../engine/domain/provider.ts";
import { imapProvider } from "../../../engine/providers/imap/provider.ts";
import { type Dovecot, startDovecot } from "../../servers/dovecot.ts";
import { startProxy } from "../../servers/proxy.ts";
import { addressAt, deliver } from "./addresses.ts";

const provider = imapProvider();
const mail = { body: "Subject: one\r\n\r\n" };

let english: Dovecot;
let german: Dovecot;
beforeAll(async () => {
  english = await startDovecot({ specialUse: "english" });
  german = await startDovecot({ specialUse: "german", separator: ".", prefix: "INBOX." });
});
afterAll(async () => {
  await english[Symbol.asyncDispose]();
  await german[Symbol.asyncDispose]();
});

async function foldersOf(server: { host: string; port: number }, user: string): Promise<Folder[]> {
  await using source = await provider.source(addressAt(server, user));
  return await source.folders();
}

/** Maps every folder as a pass does: parents first, each place given once. */
async function mapAll(folders: Folder[], target: Target): Promise<Map<string, string>> {
  const map = new Map<string, string>();
  for (const { path, segments, role } of folders) {
    const above = folders.find(
      (other) => other.segments.join("\n") === segments.slice(0, -1).join("\n"),
    );
    const parent = above === undefined ? null : (map.get(above.path) ?? null);
    map.set(path, await target.ensure({ segments, role, parent }, new Set(map.values())));
  }
  return map;
}

function namespace(type: string, prefix: string, location: string, list: string): string {
  return `namespace ${type} {
  type = ${type}
  separator = /
  prefix = ${prefix}
  location = ${location}
  subscriptions = no
  list = ${list}
}`;
}

async function make(server: Dovecot, user: string, names: string[]): Promise<void> {
  await using client = await server.login(user);
  for (const name of names) await client.create(name);
}

describe("folders from one server to the other", () => {
  test("special use meets special use, whatever the language, the prefix and the delimiter", async () => {
    await make(german, "anna", ["INBOX.Büro", "INBOX.Büro.Köln"]);
    await using target = await provider.target(addressAt(english, "anna"));

    const map = await mapAll(await foldersOf(german, "anna"), target);

    expect(Object.fromEntries(map)).toEqual({
      INBOX: "INBOX",
      "INBOX.Gesendete Objekte": "Sent",
      "INBOX.Entwürfe": "Drafts",
      "INBOX.Papierkorb": "Trash",
      "INBOX.Unerwünscht": "Junk",
      "INBOX.Archiv": "Archive",
      "INBOX.Büro": "Büro",
      "INBOX.Büro.Köln": "Büro/Köln",
    });
  });

  test("and back: a prefix is put before every name but INBOX", async () => {
    await make(english, "back", ["Work", "Work/Deep", "INBOX/Sub"]);
    await using target = await provider.target(addressAt(german, "back"));

    const map = await mapAll(await foldersOf(english, "back"), target);

    expect(map.get("Sent")).toBe("INBOX.Gesendete Objekte");
    expect(map.get("Work/Deep")).toBe("INBOX.Work.Deep");
    expect(map.get("INBOX/Sub")).toBe("INBOX.Sub");
    expect(map.get("INBOX")).toBe("INBOX");
    await using client = await german.login("back");
    const { lines } = await client.command('LSUB "" "*"');
    expect(lines.map(({ line }) => line).join("\n")).toContain("INBOX.Work.Deep");
  });

  test("the target's delimiter inside a name becomes an underscore, and two never share a place", async () => {
    await make(english, "dots", ["a.b", "a_b", "a.b/c.d", "x", "X"]);
    await using target = await provider.target(addressAt(german, "dots"));

    const map = await mapAll(await foldersOf(english, "dots"), target);

    const places = ["a.b", "a_b"].map((name) => map.get(name)).sort();
    expect(places).toEqual(["INBOX.a_b", "INBOX.a_b_2"]);
    expect(map.get("a.b/c.d")).toBe(`${map.get("a.b")}.c_d`);
    expect(map.get("x")).toBe("INBOX.x");
    expect(map.get("X")).toBe("INBOX.X");
    expect(new Set(map.values()).size).toBe(map.size);
  });

  test("a role by name does not displace the one an attribute gives", async () => {
    await make(english, "twice", ["Sent Items", "Gesendet"]);
    const folders = await foldersOf(english, "twice");
    expect(folders.filter(({ role }) => role === "sent").map(({ path }) => path)).toEqual(["Sent"]);
  });

  test("names a server refuses get a near one that it takes", async () => {
    await using target = await provider.target(addressAt(english, "names"));
    const taken = new Set<string>();
    const names = [
      "..",
      "~root",
      "n".repeat(300),
      "tab\there",
      "a*b%c",
      "trailing/",
      "😀".repeat(90),
    ];
    for (const name of names) {
      const path = await target.ensure({ segments: [name], role: null, parent: null }, taken);
      taken.add(path);
      expect((await target.open(path)).state.count).toBe(0);
    }
    expect(taken.size).toBe(names.length);
  });

  test("a name that is no modified UTF-7 is opened as the server wrote it", async () => {
    await using proxy = await startProxy(english, {
      rewrite: (line) => line.replace(/^(\* LIST .*) "?Odd"?$/, '$1 "bad&name"'),
    });
    await make(english, "odd", ["Odd"]);
    await using source = await provider.source(addressAt(proxy, "odd"));
    expect((await source.folders()).map(({ path }) => path)).toContain("bad&name");
    await expect(source.open("bad&name")).rejects.toBeInstanceOf(FolderError);
    expect(proxy.commands.at(-1)).toBe('EXAMINE "bad&name" (CONDSTORE)');
  });

  test("one that cannot be made at all is a folder's failure with the server's words", async () => {
    await using proxy = await startProxy(english, {
      rules: [{ on: /^CREATE/, nth: "every", do: "answer", with: "NO [NOPERM] Not \u202ein here" }],
    });
    await using target = await provider.target(addressAt(proxy, "closed"));
    const making = target.ensure({ segments: ["New"], role: null, parent: null }, new Set());
    await expect(making).rejects.toThrow(
      new FolderError("The target made no folder for New: Not in here"),
    );
  });

  test("one that another program made meanwhile is used", async () => {
    await using target = await provider.target(addressAt(english, "meanwhile"));
    await target.folders();
    await make(english, "meanwhile", ["New"]);
    const path = await target.ensure({ segments: ["New"], role: null, parent: null }, new Set());
    expect(path).toBe("New");
  });
});

describe("the user's own folders", () => {
  test("other users' and shared folders and places that hold nothing are left out", async () => {
    await using server = await startDovecot({
      extra: [
        namespace("public", "Public/", "sdbox:%h/public", "yes"),
        namespace("shared", "Users/%%u/", "sdbox:%%h/sdbox", "children"),
      ],
    });
    await make(server, "anna", ["Parent/Child", "Public/Notices"]);
    await using client = await server.login("anna");
    expect((await client.list()).map(({ name }) => name)).toContain("Public/Notices");

    const paths = (await foldersOf(server, "anna")).map(({ path }) => path);

    expect(paths).toContain("Parent/Child");
    expect(paths).not.toContain("Parent");
    expect(paths.filter((path) => /^(Public|Users)/.test(path))).toEqual([]);
  });

  test("where they stand is told in one answer, one by one, or not at all", async () => {
    await deliver(english, "stand", "INBOX", [mail, mail]);
    const without = (...words: string[]) => ({
      rewrite: (line: string) => words.reduce((all, word) => all.replaceAll(` ${word}`, ""), line),
    });
    await using oneByOne = await startProxy(english, without("LIST-STATUS"));
    await using bare = await startProxy(
      english,
      without(
        "LIST-STATUS",
        "LIST-EXTENDED",
        "SPECIAL-USE",
        "NAMESPACE",
        "CONDSTORE",
        "STATUS=SIZE",
      ),
    );

    const inOne = await foldersOf(english, "stand");

    expect(inOne.find(({ path }) => path === "INBOX")?.state).toMatchObject({
      uidNext: 3,
      count: 2,
    });
    expect(await foldersOf(oneByOne, "stand")).toEqual(inOne);
    const plain = await foldersOf(bare, "stand");
    expect(plain.map(({ path, role }) => [path, role])).toEqual(
      inOne.map(({ path, role }) => [path, role]),
    );
    expect(plain.find(({ path }) => path === "INBOX")?.state?.highestModseq).toBeNull();
  });

  test("a listing says the same as the folder opened", async () => {
    await deliver(english, "same", "INBOX", [mail]);
    await using source = await provider.source(addressAt(english, "same"));
    const folders = await source.folders();
    const listed = folders.find(({ path }) => path === "INBOX")?.state;
    expect((await source.open("INBOX")).state).toEqual(listed);
  });

  test("a survey sums sizes where the server does and tells what its quota leaves", async () => {
    await using server = await startDovecot({ quota: "64k" });
    await deliver(server, "anna", "INBOX", [
      { body: `Subject: big\r\n\r\n${"x".repeat(15_000)}\r\n` },
    ]);
    await using source = await provider.source(addressAt(server, "anna"));
    const survey = await source.survey();
    expect(survey).toMatchObject({ folders: 6, items: 1, types: ["mail"] });
    expect(survey.bytes).toBeGreaterThan(15_000);
    expect(survey.free).toBeGreaterThan(40_000);
    expect(survey.free).toBeLessThan(64 * 1024 - 15_000);
  });
});
