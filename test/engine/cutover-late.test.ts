import { describe, expect, test } from "vitest";
import { minute, quarter, type Watched, watched } from "../doubles/watched.ts";

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
