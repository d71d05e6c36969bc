import { describe, expect, test } from "vitest";
import { watchDue } from "../../engine/cutover.ts";
import type { Cutovers } from "../../engine/domain/cutover.ts";
import { UserError } from "../../engine/domain/errors.ts";
import type { EntryId } from "../../engine/domain/project.ts";
import type { Desk } from "../../engine/submit.ts";
import { minute, quarter, start, watched } from "../doubles/watched.ts";

const hour = 60 * minute;
const powerCut = () => Promise.reject(new Error("power cut"));

/** The desk with other cutovers. */
const keeping = (desk: Desk, change: Partial<Cutovers>): Desk => ({
  ...desk,
  cutovers: { ...desk.cutovers, ...change },
});

describe("two processes that watch one cutover", () => {
  const both = (desk: Desk) => Promise.all([watchDue(desk), watchDue(desk)]);

  test("make one change, one offer for it, one for late mail, and one verdict", async () => {
    await using one = await watched();
    const { world, desk } = one;
    const { clock } = world;
    world.dns.names(["mx.new.example"], 60);
    const won: string[] = [];
    const telling = keeping(
      desk,
      Object.fromEntries(
        (["moved", "offer", "judge"] as const).map((name) => [
          name,
          async (...given: [never, never, never]) => {
            const changed = await desk.cutovers[name](...given);
            if (changed) won.push(name);
            return changed;
          },
        ]),
      ),
    );
    const steps = async (ms: number, times: number) => {
      for (let n = 0; n < times; n += 1) {
        clock.advance(ms);
        await both(telling);
      }
    };

    await steps(minute, 3);
    expect(won).toEqual(["moved"]);
    await world.say("delta --yes");
    await world.run();
    await steps(5 * minute, 1);
    one.deliver("bo");
    await steps(5 * minute, 6);
    expect(won).toEqual(["moved", "offer"]);
    await world.say("delta --yes");
    await world.run();
    await steps(5 * minute, 20);

    expect(won).toEqual(["moved", "offer", "judge"]);
    expect(await one.cutover()).toMatchObject({ offer: { n: 2 }, verdicts: 1 });
    expect((await one.cutover()).safeAt).not.toBeNull();
  });

  test("ask the DNS and each mailbox once at each time they are due, and without a claim they would not", async () => {
    await using one = await watched();
    const { world, desk } = one;
    const { asked } = world.dns;
    const looked: EntryId[] = [];
    const late: Desk["late"] = {
      look(entry, ...rest) {
        looked.push(entry);
        return desk.late.look(entry, ...rest);
      },
    };
    const counting = { ...desk, late };
    asked.length = 0;

    world.clock.advance(minute);
    await both(counting);
    await both(counting);
    expect(asked).toEqual(["old.example"]);

    world.dns.names(["mx.new.example"], 60);
    world.clock.advance(minute);
    for (let n = 0; n < 3; n += 1) await both(counting);
    expect(asked, "at its time, and once more at the change").toHaveLength(3);
    expect(looked.toSorted()).toEqual([1, 2]);

    world.clock.advance(quarter);
    await both(keeping(counting, { claim: async () => true }));
    expect(asked).toHaveLength(5);
    expect(looked).toHaveLength(6);
  });
});

describe("a look that dies in the middle is repeated at its next time, and nothing is lost:", () => {
  test("the DNS, and what was seen before it could be kept", async () => {
    await using one = await watched();
    const { world, desk } = one;
    world.dns.names(["mx.new.example"], 60);

    await expect(one.pass(minute, { ...desk, dns: { look: powerCut } })).rejects.toThrow();
    await one.pass(minute - 1);
    expect(await one.cutover()).toMatchObject({ state: "watching", known: { phase: "old" } });
    await expect(one.pass(1, keeping(desk, { saw: powerCut }))).rejects.toThrow("power cut");
    await expect(one.pass(minute, keeping(desk, { moved: powerCut }))).rejects.toThrow();
    expect(await one.cutover()).toMatchObject({ state: "watching", known: { phase: "new" } });

    await one.pass(minute);

    expect(await one.cutover()).toMatchObject({
      state: "moved",
      movedAt: world.clock.now(),
      known: { changedAt: world.clock.now() - minute },
      offer: { n: 1, by: null },
    });
  });

  test("a fault met in one mailbox is a problem of that one alone", async () => {
    await using one = await watched();
    await one.swept();
    one.deliver("anna");
    one.deliver("bo");
    const { system, logged } = one.world;
    const { source } = system;
    system.source = (address) =>
      address.mailbox.startsWith("bo") ? powerCut() : source.call(system, address);

    await one.pass(quarter);
    system.source = source;
    const reason = "an error of Godwit's own";
    expect((await one.cutover()).look).toMatchObject({
      problems: [{ source: "bo@old.example", reason }],
      left: null,
    });
    // Of the look, and of what a delta would carry.
    expect(logged).toHaveLength(2);
    expect(await one.late()).toMatchObject({ mails: 1 });

    await one.pass(quarter);
    expect((await one.cutover()).look).toMatchObject({ problems: [] });
    expect(await one.late()).toMatchObject({ mails: 2, mailboxes: 2 });
  });

  test.each(["found", "looked", "offer"] as const)("the mailboxes, at its “%s”", async (where) => {
    await using one = await watched();
    await one.swept();
    one.deliver("anna");
    one.deliver("bo");
    let dies = true;
    const dying = keeping(one.desk, {
      [where]: (...given: [never, never, never]) => {
        // One mailbox's mail is kept, and the other's is not.
        if (dies && (where !== "found" || given[1] === 2)) {
          dies = false;
          return powerCut();
        }
        return one.desk.cutovers[where](...given);
      },
    });

    await expect(one.pass(quarter, dying)).rejects.toThrow("power cut");
    await one.pass(quarter - 1);
    expect(await one.cutover(), "not sooner").toMatchObject({ offer: { n: 1 } });
    await one.pass(1);

    expect(await one.late()).toMatchObject({ mails: 2, mailboxes: 2, waiting: 2 });
    expect(await one.cutover()).toMatchObject({
      look: { at: one.world.clock.now(), problems: [] },
      offer: { n: 2, by: null },
    });
  });
});

test("of a closed project nothing is asked any more", async () => {
  await using one = await watched();
  const { world, desk } = one;
  await one.swept();
  const { project, look } = await one.cutover();
  await desk.projects.change(project, { closed: true });
  world.dns.asked.length = 0;

  await one.pass(quarter);
  await one.pass(quarter);

  expect(world.dns.asked).toEqual([]);
  expect(await one.cutover()).toMatchObject({ state: "ended", look });
});

describe("what is offered", () => {
  test("is answered by a delta that somebody typed, and by no pass that carries less", async () => {
    await using one = await watched();
    const { world } = one;
    world.dns.names(["mx.new.example"], 60);
    await one.pass(minute);
    await world.say("prestage 30d --yes");
    await world.run();
    await one.pass(minute);
    expect(await one.cutover()).toMatchObject({ offer: { n: 1, by: null } });

    await world.say("delta --yes");
    const typedAt = world.clock.now();
    await one.pass(5 * minute);

    const { offer } = await one.cutover();
    expect(offer).toMatchObject({ n: 1, answeredAt: typedAt });
    expect(offer?.by).not.toBeNull();
  });

  test("is offered again when the plan it led to was cancelled", async () => {
    await using one = await watched();
    const { world } = one;
    world.dns.names(["mx.new.example"], 60);
    await one.pass(minute);
    await one.pass(0);
    await world.say("cutover sweep");
    expect((await one.cutover()).offer?.by).not.toBeNull();
    const { result } = await world.say("cancel 1");
    expect(result).toBe("accepted");

    await one.pass(quarter);

    expect(await one.cutover()).toMatchObject({ offer: { n: 2, by: null } });
    await one.swept();
    await one.pass(quarter);
    expect((await one.cutover()).offer?.n, "and not once it ran").toBe(2);
  });

  test("is not offered while a mailbox is busy in a pass", async () => {
    await using one = await watched();
    const { world } = one;
    await one.swept();
    one.deliver("bo");
    await world.say("prestage 30d anna@old.example --yes");

    await one.pass(quarter);
    expect(await one.late()).toMatchObject({ waiting: 1 });
    expect(await one.cutover()).toMatchObject({ offer: { n: 1 } });

    await world.run();
    await one.pass(quarter);
    expect(await one.cutover()).toMatchObject({ offer: { n: 2, by: null } });
  });
});

describe("the verdict", () => {
  test("waits while nobody can ask one mailbox what is left in it", async () => {
    await using one = await watched();
    const { system } = one.world;
    const { target } = system;
    await one.swept();
    system.target = (address) =>
      address.mailbox.startsWith("bo")
        ? Promise.reject(new UserError("refused"))
        : target.call(system, address);

    await one.pass(hour);
    await one.pass(quarter);
    expect(await one.cutover()).toMatchObject({
      look: { problems: [], left: null },
      safeAt: null,
      verdicts: 0,
    });

    system.target = target;
    await one.pass(quarter);
    expect(await one.cutover()).toMatchObject({
      look: { left: 0 },
      safeAt: one.world.clock.now(),
      verdicts: 1,
    });
  });

  test("waits while one mail is left that the new system refuses, and is given when that is gone", async () => {
    await using one = await watched();
    const { system } = one.world;
    system.deliver("bo@old.example", "INBOX", Buffer.alloc(0), { createdAt: start - hour });
    await one.swept();

    await one.pass(hour);
    await one.pass(quarter);
    expect(await one.cutover()).toMatchObject({ look: { left: 1 }, safeAt: null, verdicts: 0 });

    system.remove("bo@old.example", "INBOX", 1);
    await one.pass(quarter);
    expect(await one.cutover()).toMatchObject({
      look: { left: 0 },
      safeAt: one.world.clock.now(),
      verdicts: 1,
    });
  });
});
