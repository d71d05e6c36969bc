import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { faultsText, readCsv } from "../../bot/csv.ts";
import { type ChatWorld, canary, chatWorld } from "../doubles/chat-world.ts";

let world: ChatWorld;
beforeEach(async () => {
  world = await chatWorld({ people: ["anna"] });
});
afterEach(() => world[Symbol.asyncDispose]());

async function importing(text: string): Promise<string> {
  world.files["list.csv"] = text;
  return world.hear("import list.csv");
}

async function sources(): Promise<string[]> {
  const [project] = await world.desk.projects.list();
  return (await world.desk.projects.entries(project?.id ?? 0)).map((one) => one.source);
}

describe("a list is read however a spreadsheet saved it", () => {
  test.each([
    ["commas", "source,target\nbob@o,bob@n\n"],
    ["semicolons", "source;target\nbob@o;bob@n\n"],
    ["tabs", "source\ttarget\nbob@o\tbob@n\n"],
    ["a byte order mark, CRLF and quotes", '\ufeff"Source","Target"\r\n"bob@o","bob@n"\r\n'],
    ["other names, another order, empty lines", "To , Old\n\n bob@n , bob@o \n,\n\n"],
    ["a workload", "source,target,workload\nbob@o,bob@n,Mailbox\n"],
  ])("%s", async (_, text) => {
    expect(await importing(text)).toMatch(/Imported 1 mailbox into acme/);
    expect(await sources()).toEqual(["anna@old.example", "bob@o"]);
  });
});

test("every fault is told at once, each by row and column, and nothing is imported", async () => {
  const said = await importing(
    [
      "source,target,workload",
      "bob@o,bob@n,",
      ",carl@n,",
      "dora@o,do ra@n,",
      "emil@o,emil@n,calendar",
      "bob@o,bob2@n,",
      "fred@o",
      "anna@old.example,else@new.example,",
      "gina@o,anna@new.example,",
    ].join("\n"),
  );
  for (const fault of [
    /row 3, column source: is empty; write it like anna@old\.example/,
    /row 4, column target: do ra@n holds a space/,
    /row 5, column workload: only mailbox/,
    /row 6, column source: bob@o stands in row 2 already/,
    /row 7, whole row: has 1 cells where the header has 3/,
    /row 8, column target: anna@old\.example goes to anna@new\.example in acme already/,
    /row 9, column source: anna@new\.example takes anna@old\.example/,
    /7 faults in the file; nothing was imported/,
  ]) {
    expect(said).toMatch(fault);
  }
  expect(await sources()).toEqual(["anna@old.example"]);
});

test("a corrected list can be imported again: what is there already is left as it is", async () => {
  expect(
    await importing("source,target\nANNA@old.example,anna@new.example\nbob@o,bob@n\n"),
  ).toMatch(/Imported 1 mailbox into acme.*1 row was there already/);
  expect(await sources()).toEqual(["anna@old.example", "bob@o"]);
});

test("passwords come from variables by name, sealed, where each mailbox logs in by itself", async () => {
  for (const line of [
    "endpoint new own imaps://imap.old.example --login user",
    "project new other --from own --to new",
    "link other",
  ]) {
    expect((await world.say(line)).result).toBe("accepted");
  }
  world.env.BOB_OLD = canary;
  const text = "source,target,source_user,source_password_env\nbob@o,bob@n,bob,BOB_OLD\n";
  expect(await importing(text)).toMatch(/Imported 1 mailbox into other/);
  const project = await world.desk.projects.byName("other");
  const [entry] = await world.desk.projects.entries(project?.id ?? 0);
  expect(entry?.notReady).toBeNull();
  const { source } = await world.desk.projects.addresses(entry?.id ?? 0);
  expect([source.user, source.password?.reveal()]).toEqual(["bob", canary]);

  // A wrong password is put right by importing the row again; the name that is not given stays.
  world.env.BOB_OLD = "the right one";
  const again = "source,target,source_password_env\nbob@o,bob@n,BOB_OLD\n";
  expect(await importing(again)).toMatch(
    /Imported 0 mailboxes into other.*1 row was there already: its login is new/,
  );
  const { source: now } = await world.desk.projects.addresses(entry?.id ?? 0);
  expect([now.user, now.password?.reveal()]).toEqual(["bob", "the right one"]);
});

describe("a list that cannot be used is refused", () => {
  test.each([
    ["", /empty/],
    ["source,target\n", /no line follows the header/],
    ["source\nbob@o\n", /column target: is missing/],
    ["bob@o,bob@n\n", /row 1, column bob@o: is not known; the columns are source, target/],
    ["source,target,comment\nb@o,b@n,x\n", /column comment: is not known/],
    ["source,target,sorce_user\nb@o,b@n,x\n", /did you mean source_user/],
    ["source,from,target\na@o,a@o,a@n\n", /column from: is the second column for source/],
    [
      `source,target,password\nb@o,b@n,${canary}\n`,
      /column password: passwords do not belong into a file/,
    ],
    [`source,target,source_password\nb@o,b@n,${canary}\n`, /passwords do not belong/],
    ['source,target\nb@o,"b@n\n', /quotation marks do not match/],
    ["source,target\nb@o,b\ufffd@n\n", /not UTF-8/],
    ["s\0o\0u\0r\0c\0e\0", /not UTF-8/],
    [`source,target\n${"x".repeat(6_000_000)}`, /larger than 5 MB/],
    [
      "source,target,source_password_env\nb@o,b@n,GODWIT_KEYS\n",
      /row 2, column source_password_env.*master/s,
    ],
    [`source,target,target_password_env\nb@o,b@n,${canary}\n`, /not the name of a variable/],
    ["source,target,target_password_env\nb@o,b@n,BOB_UNSET\n", /BOB_UNSET is not set/],
  ])("%#", async (text, says) => {
    const said = await importing(text);
    expect(said).toMatch(says);
    expect(said).not.toContain(canary);
    expect(await sources()).toEqual(["anna@old.example"]);
  });

  test("10,001 rows are too many, 10,000 are not", () => {
    const rows = (count: number) =>
      `source,target\n${Array.from({ length: count }, (_, n) => `u${n}@o,u${n}@n`).join("\n")}`;
    expect(() => readCsv(rows(10_001))).toThrow(/at most 10000 fit.*Split it/);
    expect(readCsv(rows(10_000))).toMatchObject({ faults: [], rows: { length: 10_000 } });
  });

  test("of very many faults the first are told and the rest counted", () => {
    const faults = Array.from({ length: 60 }, (_, n) => ({
      line: n + 2,
      column: "source",
      text: "is empty",
    }));
    expect(faultsText(faults)).toMatch(/60 faults.*and 10 more/s);
  });
});
