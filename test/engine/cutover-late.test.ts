import { describe, expect, test } from "vitest";
import { UserError } from "../../engine/domain/errors.ts";
import { minute, quarter, start, type Watched, watched } from "../doubles/watched.ts";

/** A delta that somebody types, run to its end and seen by the watch. */
const sweep = async (one: Watched) => {
  await one.world.say("delta --yes");
  await one.world.run();
  await one.pass(quarter);
};
const quietHours = async (one: Watched) => {
  for (let n = 0; n < 8; n += 1) await one.pass(quarter);
  return one.cutover();
};

describe("late mail that no delta can carry any more stands in nobody's way:", () => {
  test.each<[what: string, happens: (one: Watched) => unknown, verdicts: number]>([
    ["the control: it stays where it is, and is carried", () => {}, 1],
    ["its owner deleted it", ({ world }) => world.system.remove("bo@old.example", "INBOX", 1), 1],
    [
      "its owner moved it, and it is carried from there",
      ({ world }) => world.system.move("bo@old.example", "INBOX", 1, "Work"),
      1,
    ],
    [
      "its owner marked it as deleted",
      ({ world }) => world.system.flag("bo@old.example", "INBOX", 1, ["\\Deleted"]),
      1,
    ],
  ])("%s", async (_, happens, verdicts) => {
    await using one = await watched();
    await one.swept();
    one.deliver("bo");
    await one.pass(quarter);
    expect(await one.late()).toMatchObject({ mails: 1, waiting: 1 });
    happens(one);
    await sweep(one);

    expect(await quietHours(one)).toMatchObject({ verdicts, offer: { n: 2 } });
  });

  test("the project leaves its folder out", async () => {
    await using one = await watched();
    const { project } = await one.cutover();
    const { filters } = await one.desk.projects.byId(project);
    await one.desk.projects.change(project, { filters: { ...filters, exclude: ["Lists"] } });
    await one.swept();
    const bytes = Buffer.from("From: x@lists.example\r\n\r\nnews");
    const createdAt = one.world.clock.now();
    one.world.system.deliver("bo@old.example", "Lists", bytes, { createdAt });
    await one.pass(quarter);
    await sweep(one);

    expect(await quietHours(one)).toMatchObject({ verdicts: 1 });
  });
});

test("late mail that was carried does not wait again when its folder is renumbered", async () => {
  await using one = await watched();
  await one.swept();
  one.deliver("bo");
  await one.pass(quarter);
  await sweep(one);
  expect(await one.late()).toMatchObject({ mails: 1, waiting: 0 });

  one.world.system.renumber("bo@old.example", "INBOX");
  await one.pass(quarter);
  await sweep(one);

  expect(await one.late()).toMatchObject({ waiting: 0 });
  expect(await quietHours(one)).toMatchObject({ verdicts: 1 });
});

test("a delta that ran answers, and is not asked for again, whatever passes followed it", async () => {
  await using one = await watched();
  one.world.dns.names(["mx.new.example"], 60);
  await one.pass(minute);
  for (const typed of ["delta --yes", "verify", "verify", "verify"]) {
    await one.world.say(typed);
    await one.world.run();
  }

  await one.pass(quarter);

  expect((await one.cutover()).offer).toMatchObject({ n: 1, by: expect.any(String) });
});

test("a delta that ran and was answered is not asked for again, whatever passes followed it", async () => {
  await using one = await watched();
  await one.swept();
  for (let n = 0; n < 3; n += 1) {
    await one.world.say("verify");
    await one.world.run();
  }

  await one.pass(quarter);

  expect((await one.cutover()).offer).toMatchObject({ n: 1, by: expect.any(String) });
});

/** The old system refuses this login from now on. */
const refuses = (mailbox: string, { world }: Watched) => {
  const { source } = world.system;
  world.system.source = async (address) => {
    if (address.mailbox === mailbox) throw new UserError("old refused the login.");
    return source(address);
  };
};

test.each<[what: string, typed: string, refused: string | null, offers: number]>([
  ["whose login is refused since is not asked about again and again", "delta", "bo", 1],
  ["that no delta was about is, after each that was answered", "delta anna*", null, 4],
  ["that let itself be carried is not, the control", "delta", null, 1],
])("a mailbox %s", async (_, typed, refused, offers) => {
  await using one = await watched();
  if (refused !== null) refuses(`${refused}@old.example`, one);
  one.world.dns.names(["mx.new.example"], 60);
  await one.pass(minute);

  for (let n = 0; n < 3; n += 1) {
    expect((await one.world.say(`${typed} --yes`)).result).toBe("accepted");
    await one.world.run();
    await one.pass(quarter);
    await one.pass(quarter);
  }

  const { offer, look } = await one.cutover();
  expect(offer).toMatchObject({ n: offers });
  expect(look?.problems.length).toBe(refused === null ? 0 : 1);
});

test.each([
  ["a mail that says it came in 2099 keeps nobody waiting until then", Date.UTC(2099, 0, 1)],
  ["a mail of this moment keeps nobody waiting longer, the control", start + 2 * 60 * minute],
])("%s", async (_, createdAt) => {
  await using one = await watched();
  await one.swept();
  await one.pass(start + 2 * 60 * minute - one.world.clock.now());
  const bytes = Buffer.from("From: x@shop.example\r\n\r\nlate");
  one.world.system.deliver("bo@old.example", "INBOX", bytes, { createdAt });
  await one.pass(quarter);
  expect(await one.late()).toMatchObject({ mails: 1, waiting: 1 });
  expect((await one.late()).lastAt).toBeLessThanOrEqual(one.world.clock.now());
  await sweep(one);

  expect(await quietHours(one)).toMatchObject({ safeAt: expect.any(Number) });
});

test("of a closed project no mailbox is opened, though it is due before the DNS is", async () => {
  await using one = await watched();
  const { world, desk } = one;
  await one.swept();
  const { project, mailDueAt } = await one.cutover();
  await one.pass(mailDueAt! - world.clock.now() - minute);
  await desk.projects.change(project, { closed: true });
  const opened: string[] = [];
  const { source } = world.system;
  world.system.source = (address) => {
    opened.push(address.mailbox);
    return source.call(world.system, address);
  };

  await one.pass(minute);

  expect(opened).toEqual([]);
});
