import { mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { UserError } from "../../engine/domain/errors.ts";
import { Secret } from "../../engine/domain/secret.ts";
import { aesSealer, keyFile, makeKey, parseKeys } from "../../engine/secrets.ts";

const bytes = (n: number, length = 32) => Buffer.alloc(length, n).toString("base64");

describe("keys", () => {
  test("the first of several seals, and all of them open", () => {
    const [old, fresh] = [parseKeys(`old:${bytes(1)}`), parseKeys(`new:${bytes(2)}`)];
    const sealedOld = aesSealer(old).seal(new Secret("one"), "here");

    const both = aesSealer(parseKeys(` new:${bytes(2)}, old:${bytes(1)} `));

    expect(both.open(sealedOld, "here").reveal()).toBe("one");
    const sealedNew = both.seal(new Secret("two"), "here");
    expect(aesSealer(fresh).open(sealedNew, "here").reveal()).toBe("two");
    expect(() => aesSealer(old).open(sealedNew, "here")).toThrow(/a key that is not here/);
  });

  test.each([
    { what: "short", text: `k1:${bytes(65, 31)}`, says: /key 1 has 31 bytes and needs 32/ },
    { what: "long", text: `k1:${bytes(65, 33)}`, says: /key 1 has 33 bytes/ },
    { what: "without an id", text: bytes(65), says: /key 1 is not of the form id:base64/ },
    { what: "not base64", text: "k1:QUFB QUFB!", says: /key 1 is not of the form/ },
    { what: "empty", text: "", says: /key 1 is not of the form/ },
    { what: "a second malformed", text: `k1:${bytes(65)},k2`, says: /key 2 is not of the form/ },
    { what: "named twice", text: `k1:${bytes(65)},k1:${bytes(66)}`, says: /key 2 has the id/ },
  ])("a key that is $what is refused, and nothing of it is repeated", ({ text, says }) => {
    expect(() => parseKeys(text)).toThrow(UserError);
    expect(() => parseKeys(text)).toThrow(says);
    try {
      parseKeys(text);
    } catch (error) {
      expect(String(error)).not.toContain("QUFB");
    }
  });

  test("a new key is one that can be used, and no two are alike", () => {
    const [one, two] = [makeKey(new Date(Date.UTC(2026, 10, 20))), makeKey()];

    expect(one).toMatch(/^k20261120[0-9a-f]{4}:[A-Za-z0-9+/]{43}=$/);
    expect(one).not.toBe(two);
    expect(parseKeys(`${one},${two}`)).toHaveLength(2);
  });
});

describe("the sealer", () => {
  const sealer = aesSealer(parseKeys(`k1:${bytes(3)}`));

  test.each(["", "pass", "p@ß wörd\n🔑", "x".repeat(10_000)])(
    "what is sealed opens in its place",
    (text) => {
      const sealed = sealer.seal(new Secret(text), "endpoint/3/master");

      expect(sealed).toMatch(/^v1\.k1\.[\w-]{16}\.[\w-]*\.[\w-]{22}$/);
      expect(sealer.open(sealed, "endpoint/3/master").reveal()).toBe(text);
    },
  );

  test("the same secret never seals to the same text", () => {
    const sealed = new Set(
      Array.from({ length: 50 }, () => sealer.seal(new Secret("same"), "here")),
    );

    expect(sealed.size).toBe(50);
  });

  test("in another place it does not open", () => {
    const sealed = sealer.seal(new Secret("hers"), "entry/1/source");

    expect(() => sealer.open(sealed, "entry/2/source")).toThrow(UserError);
  });

  test("changed anywhere, it does not open", () => {
    const sealed = sealer.seal(new Secret("password"), "here");
    for (let at = 0; at < sealed.length; at += 1) {
      // The last characters of a part may carry bits that mean nothing.
      if (".".includes(sealed[at]!) || (sealed[at + 1] ?? ".") === ".") continue;
      const other = sealed[at] === "A" ? "B" : "A";
      const changed = sealed.slice(0, at) + other + sealed.slice(at + 1);
      expect(() => sealer.open(changed, "here"), changed).toThrow(UserError);
    }
    for (const text of [
      "",
      "v1",
      "v1.k1",
      sealed.slice(0, -4),
      `${sealed}.A`,
      `v2${sealed.slice(2)}`,
    ]) {
      expect(() => sealer.open(text, "here"), text).toThrow(UserError);
    }
  });

  test("a refusal says nothing of the secret", () => {
    const sealed = sealer.seal(new Secret("canary"), "here");
    try {
      sealer.open(sealed, "there");
    } catch (error) {
      expect(String(error)).not.toContain("canary");
      expect(String(error)).not.toContain(sealed.split(".")[3]);
    }
    expect.assertions(2);
  });
});

describe("the key file", () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "godwit-key-"));
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  test("is made once, for its owner alone", async () => {
    const path = join(folder, "godwit.key");

    const first = await keyFile(path);
    const second = await keyFile(path);

    expect([first.made, second.made]).toEqual([true, false]);
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    expect(second.keys.map((key) => key.value.reveal())).toEqual(
      first.keys.map((key) => key.value.reveal()),
    );
  });

  test("many that need it at once agree on one", async () => {
    const path = join(folder, "godwit.key");

    const all = await Promise.all(Array.from({ length: 8 }, () => keyFile(path)));

    expect(new Set(all.map(({ keys }) => keys[0]?.value.reveal())).size).toBe(1);
    expect(all.filter(({ made }) => made)).toHaveLength(1);
  });

  test("a spoiled one is refused by name and left as it is", async () => {
    const path = join(folder, "godwit.key");
    await writeFile(path, "k1:QUFBQQ==\n");

    await expect(keyFile(path)).rejects.toThrow(`The key file ${path} cannot be used: key 1`);

    expect(await readFile(path, "utf8")).toBe("k1:QUFBQQ==\n");
  });
});
