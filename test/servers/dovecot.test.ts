import { expect, test } from "vitest";
import { compare, touched } from "./checker.ts";
import { startDovecot } from "./dovecot.ts";

test("a Dovecot keeps what it is given, and the witness reads it without a trace", async () => {
  await using server = await startDovecot({ specialUse: "german" });
  await using anna = await server.login("anna");
  await anna.create("Büro & Co");
  await anna.appendMany("Büro & Co", [
    { body: "Subject: one\r\n\r\nhello\r\n", flags: ["\\Seen", "red"], date: 1_600_000_000_000 },
    { body: "Subject: two\n\nbare\n" },
  ]);

  const dump = await anna.dump();

  expect([...dump.keys()].sort()).toEqual([
    "Archiv",
    "Büro & Co",
    "Entwürfe",
    "Gesendete Objekte",
    "INBOX",
    "Papierkorb",
    "Unerwünscht",
  ]);
  const [one, two] = dump.get("Büro & Co")?.messages ?? [];
  expect(one).toMatchObject({ uid: 1, flags: ["\\Seen", "red"], date: 1_600_000_000_000 });
  expect(two).toMatchObject({ uid: 2, size: 22 });
  expect(touched(dump, await anna.dump())).toEqual([]);
});

test("the witness sees what is lost, what is there twice and what has changed", async () => {
  await using server = await startDovecot();
  await using anna = await server.login("anna");
  await using berta = await server.login("berta");
  const letter = (n: number) => `Subject: ${n}\r\n\r\n`;
  await anna.appendMany(
    "INBOX",
    [1, 2, 3].map((n) => ({ body: letter(n), date: 1_000_000_000_000 })),
  );
  await berta.appendMany("INBOX", [
    { body: letter(1), date: 1_000_000_000_000 },
    { body: letter(2), date: 1_000_000_000_000, flags: ["\\Seen"] },
    { body: letter(1), date: 1_000_000_000_000 },
    { body: letter(9), date: 1_000_000_000_000 },
  ]);

  const verdict = compare(await anna.dump(), await berta.dump());

  expect(verdict.lost).toHaveLength(1);
  expect(verdict.duplicated).toHaveLength(1);
  expect(verdict.foreign).toHaveLength(1);
  expect(verdict.differences).toMatchObject([{ target: "2001-09-09T01:46:40.000Z \\Seen" }]);
  expect(verdict.present).toBe(2);
});
