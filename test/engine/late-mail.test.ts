import { describe, expect, test } from "vitest";
import { FolderError, TransientError } from "../../engine/domain/errors.ts";
import type { FolderRole } from "../../engine/domain/item.ts";
import type { LateFound, LateMark } from "../../engine/domain/late-mail.ts";
import type { EntryId } from "../../engine/domain/project.ts";
import type { Source } from "../../engine/domain/provider.ts";
import { Secret } from "../../engine/domain/secret.ts";
import { makeLateWatch } from "../../engine/late-mail.ts";
import type { MemorySystem } from "../../engine/providers/memory/provider.ts";
import { memoryWorld } from "../doubles/memory-world.ts";
import { opening } from "../doubles/twisted.ts";

const change = Date.UTC(2026, 10, 25, 18);
const before = change - 60_000;
const mailbox = "anna@old";

interface LateWorld extends AsyncDisposable {
  system: MemorySystem;
  anna: EntryId;
  /** The folders that were opened, in order. */
  opened: string[];
  logged: string[];
  /** What the old system's mailboxes do, when they do something else than usual. */
  twist: { source: (source: Source) => Source };
  refuseLogins(refuse: boolean): Promise<void>;
  deliver(folder: string, createdAt?: number, from?: string): number;
  look(marks?: LateMark[], since?: number): Promise<LateFound>;
}

/** Anna's old mailbox, looked through with its opened folders counted. */
async function lateWorld(): Promise<LateWorld> {
  const world = await memoryWorld();
  const { system } = world;
  const { projects } = world.godwit.desk;
  const [entry] = await world.add("anna");
  const anna = entry!.id;
  const opened: string[] = [];
  const logged: string[] = [];
  const twist: LateWorld["twist"] = { source: (source) => source };
  const counting = (source: Source): Source => ({
    ...source,
    open(path) {
      opened.push(path);
      return source.open(path);
    },
  });
  const memory = {
    source: async (...at: Parameters<typeof system.source>) =>
      counting(twist.source(await system.source(...at))),
    target: system.target,
  };
  const late = makeLateWatch({
    projects,
    providers: { memory, imap: memory },
    log: { error: (_, text) => void logged.push(text) },
  });
  return {
    system,
    anna,
    opened,
    logged,
    twist,
    async refuseLogins(refuse) {
      const old = await projects.endpoint("old");
      const password = new Secret(refuse ? "wrong" : "masterpass");
      await projects.setMasterPassword(old!.id, password);
    },
    deliver: (folder, createdAt = change, from = "shop.example") =>
      system.deliver(mailbox, folder, Buffer.from(`From: x@${from}\r\n\r\nhello\r\n`), {
        createdAt,
      }).uid,
    look: (marks = [], since = change) => late.look(anna, marks, since),
    [Symbol.asyncDispose]: () => world[Symbol.asyncDispose](),
  };
}

const uids = ({ mails }: LateFound) => mails.map(({ folder, uid }) => `${folder} ${uid}`);

test("what came after the change counts, with its folder, its number, its date and who sent it", async () => {
  await using world = await lateWorld();
  world.deliver("INBOX", before);
  world.deliver("INBOX", change + 5000);
  world.deliver("Lists/One", change + 9000, "lists.example");
  const [inbox, list] = ["INBOX", "Lists/One"].map((path) => world.system.folder(mailbox, path));

  const found = await world.look();

  const { anna: entry } = world;
  const [first, second] = [inbox!, list!].map(({ uidValidity }) => ({ entry, uidValidity }));
  expect(found).toEqual({
    mails: [
      { ...first, folder: "INBOX", uid: 2, at: change + 5000, from: "shop.example" },
      { ...second, folder: "Lists/One", uid: 1, at: change + 9000, from: "lists.example" },
    ],
    marks: [
      { folder: "INBOX", uidValidity: inbox!.uidValidity, uidNext: 3 },
      { folder: "Lists/One", uidValidity: list!.uidValidity, uidNext: 2 },
    ],
    problem: null,
  });
});

test("what came in the very second of the change counts: servers tell whole seconds", async () => {
  await using world = await lateWorld();
  world.deliver("INBOX", change - 1000);
  world.deliver("INBOX", change);

  expect(uids(await world.look([], change))).toEqual(["INBOX 2"]);
  expect(uids(await world.look([], change + 999))).toEqual(["INBOX 2"]);
  expect(uids(await world.look([], change + 1000))).toEqual([]);
  expect(uids(await world.look([], change - 1))).toEqual(["INBOX 1", "INBOX 2"]);
});

test.each<[FolderRole, boolean]>([
  ["sent", false],
  ["junk", false],
  ["drafts", false],
  ["trash", false],
  ["archive", true],
  ["inbox", true],
])("mail in a folder for %s counts: %s", async (role, counts) => {
  await using world = await lateWorld();
  world.system.folder(mailbox, "Any", role);
  world.deliver("Any");

  expect(uids(await world.look())).toEqual(counts ? ["Any 1"] : []);
  expect(world.opened.includes("Any")).toBe(counts);
});

test("mail without a sender that can be read counts, and nobody is named for it", async () => {
  await using world = await lateWorld();
  world.system.deliver(mailbox, "INBOX", Buffer.from("From: nobody\r\n\r\nx"), {
    createdAt: change,
  });
  world.deliver("INBOX", change, "<!channel>");

  const { mails } = await world.look();

  expect(mails.map(({ from }) => from)).toEqual([null, null]);
});

describe("a second look", () => {
  test("opens no folder that stands still, and keeps its mark", async () => {
    await using world = await lateWorld();
    world.deliver("INBOX");
    world.deliver("Work");
    const first = await world.look();
    expect(world.opened).toEqual(["INBOX", "Work"]);
    world.opened.length = 0;

    const still = await world.look(first.marks);
    expect(still).toEqual({ ...first, mails: [] });
    expect(world.opened).toEqual([]);

    world.deliver("Work");
    const grown = await world.look(still.marks);
    expect(world.opened).toEqual(["Work"]);
    expect(uids(grown)).toEqual(["Work 2"]);
    expect(grown.marks.map(({ uidNext }) => uidNext)).toEqual([2, 3]);
  });

  test("finds mail that was moved where it went, by its old date or not at all", async () => {
    await using world = await lateWorld();
    const old = world.deliver("INBOX", before);
    const late = world.deliver("INBOX", change + 1000);
    world.system.folder(mailbox, "Work");
    const first = await world.look();
    expect(uids(first)).toEqual(["INBOX 2"]);

    world.system.move(mailbox, "INBOX", old, "Work");
    world.system.move(mailbox, "INBOX", late, "Work");

    const second = await world.look(first.marks);
    expect(uids(second)).toEqual(["Work 2"]);
    expect(second.mails[0]).toMatchObject({ at: change + 1000 });
  });

  test("looks through a renumbered folder anew: its numbers are others", async () => {
    await using world = await lateWorld();
    world.deliver("INBOX", before);
    world.deliver("INBOX");
    const first = await world.look();

    world.system.renumber(mailbox, "INBOX");
    world.deliver("INBOX");
    const second = await world.look(first.marks);

    expect(uids(second)).toEqual(["INBOX 2", "INBOX 3"]);
    const validity = new Set(second.mails.map(({ uidValidity }) => uidValidity));
    expect(validity).not.toContain(first.mails[0]!.uidValidity);
    expect(second.marks).toEqual([{ folder: "INBOX", uidValidity: [...validity][0], uidNext: 4 }]);
  });

  test("forgets the mark of a folder that is gone, and looks at a new one", async () => {
    await using world = await lateWorld();
    const gone = { folder: "Gone", uidValidity: 9, uidNext: 9 };
    world.deliver("New");

    const found = await world.look([gone]);

    expect(uids(found)).toEqual(["New 1"]);
    expect(found.marks.map(({ folder }) => folder)).toEqual(["INBOX", "New"]);
  });

  test("opens each folder where the server does not tell how they stand, and counts nothing again", async () => {
    await using world = await lateWorld();
    world.twist.source = (source) => ({
      ...source,
      folders: async () => (await source.folders()).map((one) => ({ ...one, state: null })),
    });
    world.deliver("INBOX");
    const first = await world.look();

    const second = await world.look(first.marks);

    expect(world.opened).toEqual(["INBOX", "INBOX"]);
    expect(second).toEqual({ ...first, mails: [] });
  });
});

test("a first look goes back 1,000 UIDs and no more; a later one misses none of what came since", async () => {
  await using world = await lateWorld();
  for (let n = 0; n < 1001; n += 1) world.deliver("INBOX");
  const first = await world.look();
  expect(first.mails).toHaveLength(1000);
  expect(uids(first)).not.toContain("INBOX 1");

  for (let n = 0; n < 1001; n += 1) world.deliver("INBOX");
  const second = await world.look(first.marks);
  expect(second.mails).toHaveLength(1001);
  expect(uids(second)[0]).toBe("INBOX 1002");
});

describe("a mailbox that cannot be asked is a problem, and its marks stay as they were:", () => {
  test("a wrong password", async () => {
    await using world = await lateWorld();
    const { marks } = await world.look();
    world.deliver("INBOX");
    await world.refuseLogins(true);

    expect(await world.look(marks)).toEqual({
      mails: [],
      marks,
      problem: "old refused the login for anna@old.",
    });

    await world.refuseLogins(false);
    expect(uids(await world.look(marks)), "nothing was missed").toEqual(["INBOX 1"]);
  });

  test("a folder that is refused, or a connection that is lost, after others were read", async () => {
    await using world = await lateWorld();
    const { marks } = await world.look();
    world.deliver("INBOX");
    world.deliver("Work");
    const none = { mails: [], marks };

    world.twist.source = opening((open, path) => {
      if (path === "Work") throw new FolderError("locked\u202e\r\n<by> \u0007another");
      return open;
    });
    const { problem, ...refused } = await world.look(marks);
    expect(refused).toEqual(none);
    expect(problem).toMatch(/^locked.*another$/);
    expect(problem).not.toMatch(/[\p{Cc}\u202e]/u);
    world.twist.source = opening((open) => ({
      ...open,
      senders: () => Promise.reject(new TransientError("the line is dead", "connection")),
    }));
    expect(await world.look(marks)).toEqual({ ...none, problem: "the line is dead" });
    expect(world.logged).toEqual([]);

    world.twist.source = (source) => source;
    expect(uids(await world.look(marks))).toEqual(["INBOX 1", "Work 1"]);
  });

  test("a fault of ours, which is logged and not shown", async () => {
    await using world = await lateWorld();
    world.twist.source = () => {
      throw new TypeError("undefined is not a mailbox");
    };

    expect(await world.look()).toEqual({
      mails: [],
      marks: [],
      problem: "an error of Godwit's own",
    });
    expect(world.logged).toHaveLength(1);
  });
});
