import { describe, expect, test } from "vitest";
import { makeCutoverTeller } from "../../bot/cutover-teller.ts";
import { watchDue } from "../../engine/cutover.ts";
import type { MxAnswer } from "../../engine/domain/dns.ts";
import type { TranscriptLine } from "../../engine/domain/thread.ts";
import { type ChatWorld, chatWorld } from "../doubles/chat-world.ts";
import { minute, start } from "../doubles/watched.ts";

const hour = 60 * minute;
const before = ["mx.old.example"];
const after = ["mx.new.example"];

async function open(people = ["anna", "bo"]): Promise<ChatWorld> {
  const world = await chatWorld({ start, people });
  world.dns.names(before, 60);
  return world;
}

/** Every mailbox has its license: one mail of each is carried, or is about to be. */
async function prestaged(world: ChatWorld, carried = true): Promise<void> {
  for (const { source } of await world.desk.projects.entries(1)) {
    const bytes = Buffer.from(`From: x@shop.example\r\n\r\nTo ${source}.\r\n`);
    world.system.deliver(source, "INBOX", bytes, { createdAt: start - 100 * 24 * hour });
  }
  await world.say("prestage 30d --yes");
  if (carried) await world.run();
}

async function later(world: ChatWorld, ms = minute, teller = tellerOf(world)): Promise<void> {
  world.clock.advance(ms);
  await watchDue(world.desk);
  await teller.tick();
}

const tellerOf = (world: ChatWorld) => makeCutoverTeller(world.desk, [world.surface]);

/** The question at the change, as it stands now. */
async function question(world: ChatWorld): Promise<TranscriptLine | undefined> {
  const lines = await world.lines();
  const post = lines.find(({ kind, text }) => kind === "post" && text.startsWith("MX of "));
  return lines.findLast(({ thread }) => thread === post?.thread);
}

const answered = (server: string, hosts: string[]): MxAnswer => ({
  server,
  outcome: "answered",
  hosts: hosts.map((host) => ({ host, preference: 10 })),
  ttl: 60,
});

describe("of a domain that is spelled in two ways", () => {
  test.each([
    ["müller.example", "xn--mller-kva.example", ["anna@müller.example"]],
    ["xn--mller-kva.example", "xn--mller-kva.example", ["anna@müller.example"]],
    ["third.example, the control", "third.example", ["eve@third.example"]],
    [
      "odl.example, nobody's, the control",
      "odl.example",
      ["anna@müller.example", "eve@third.example"],
    ],
  ])("%s: the watch is about its mailboxes, and so is its sweep", async (typed, domain, own) => {
    await using world = await open([]);
    await world.say("add anna@müller.example anna@new.example");
    await world.say("add eve@third.example eve@elsewhere.example");
    await prestaged(world);

    const card = await world.hear(`cutover watch ${typed.split(",")[0]}`);
    world.dns.names(after, 60);
    await later(world);
    const asked = (await question(world))?.text;
    const { passes } = await world.say(`cutover sweep ${domain}`);

    const many = own.length === 1 ? "1 mailbox" : `${own.length} mailboxes`;
    expect(card).toContain(`it is about ${many}`);
    expect(asked).toContain(`run the delta for ${many}? 0 licenses.`);
    const { runs } = await world.desk.passes.snapshot(passes[0]!);
    expect(runs.map(({ source }) => source)).toEqual(own);
  });
});

describe("`cutover done` of a domain nobody watched", () => {
  test("is refused where nobody has an address in it and the DNS does not know it", async () => {
    await using world = await open();
    world.dns.says({});

    const { result, lines } = await world.say("cutover done odl.example");

    expect([result, lines.at(-1)?.text]).toEqual([
      "refused",
      "No mailbox of acme has an address in odl.example, and the DNS does not know it; nothing was done. Check the name, and type `cutover done <domain>`.",
    ]);
    expect(await world.desk.cutovers.live()).toEqual([]);
  });

  test.each([
    ["the DNS knows it", "odl.example", true],
    ["somebody has an address in it", "old.example", false],
  ])(
    "is taken where %s, and the verdict is by the word of who said it",
    async (_, domain, known) => {
      await using world = await open();
      if (known) world.dns.names(after, 60);
      else world.dns.says({});

      expect(await world.hear(`cutover done ${domain}`)).toContain(
        `local:owner says that the MX of ${domain} was changed`,
      );
      await later(world);
      expect((await question(world))?.text).toContain(
        ", by the word of local:owner; run the delta",
      );
      await world.say("delta --yes");
      await world.run();
      for (let n = 0; n < 26; n += 1) await later(world, hour);

      const verdict = (await world.lines()).findLast(({ kind }) => kind === "post")?.text;
      expect(verdict).toMatch(/safe to switch the old system off/);
      expect(verdict).toContain("That the MX was changed is the word of local:owner");
      expect(verdict).not.toContain("Every server");
    },
  );
});

describe("a watch that begins while the servers disagree", () => {
  const line = "cutover watch old.example";
  const split = { authoritative: [answered("ns1", after)], resolvers: [answered("r", before)] };
  const agreed = { authoritative: [answered("ns1", before)], resolvers: [answered("r", before)] };

  test.each([
    ["is refused, saying what to type", split, line, "refused"],
    ["works with --to", split, `${line} --to mx.new.example`, "accepted"],
    ["is none where they agree, the control", agreed, line, "accepted"],
  ])("%s", async (_, sight, typed, result) => {
    await using world = await open();
    world.dns.says(sight);

    const said = await world.say(typed);

    expect(said.result).toBe(result);
    if (result === "refused") {
      expect(said.lines.at(-1)?.text).toBe(
        "Not every server says the same of old.example: its MX is being changed already, and nobody said to which hosts; nothing is watched. Type `cutover watch old.example --to mx.new.example` if these are the new ones.",
      );
      expect(await world.desk.cutovers.live()).toEqual([]);
      return;
    }
    expect(await world.desk.cutovers.live()).toMatchObject([{ old: before, state: "watching" }]);
    world.dns.names(after, 60);
    await later(world);
    expect((await question(world))?.text).toContain("MX of old.example moved at 10:01");
  });
});

describe("the question whether to run the delta", () => {
  const moved = async (world: ChatWorld, teller = tellerOf(world)) => {
    await world.say("cutover watch old.example");
    world.dns.names(after, 60);
    await later(world, minute, teller);
    return (await question(world))?.text;
  };

  test("says that a pass runs, and once it has ended what the delta would take", async () => {
    await using world = await open();
    await prestaged(world, false);
    const teller = tellerOf(world);

    expect(await moved(world, teller)).toMatch(
      /run the delta for 2 mailboxes\?\n.*It cannot run now: .*anna@old\.example: already running in pass 1/s,
    );
    await later(world, 10 * minute, teller);
    await world.run();
    await later(world, minute, teller);

    const text = (await question(world))?.text;
    expect(text).toContain("run the delta for 2 mailboxes? 0 licenses.");
    expect(text).not.toContain("cannot run now");
  });

  test("says when it would begin outside the project's hours, and nothing of them within", async () => {
    for (const [hours, opens] of [
      ["weekdays 19:00-07:00", "outside its hours: begins 2026-11-23 19:00 (Europe/Berlin)"],
      ["weekdays 07:00-19:00", null],
    ] as const) {
      await using world = await open();
      await world.say(`project set hours "${hours}"`);
      const text = await moved(world);
      if (opens === null) expect(text).not.toContain("hours");
      else expect(text).toContain(opens);
    }
  });

  test.each([
    ["another project's channel", "local:beta", " --project acme"],
    ["a channel of no project", "local:none", " --project acme"],
    ["the project's own channel, the control", "local:main", ""],
  ])("works in %s", async (_, channel, suffix) => {
    await using world = await open();
    await world.say("project new beta --from old --to new --zone Europe/Berlin", {
      channel: "local:beta",
    });
    await prestaged(world);
    const watch = `cutover watch old.example${suffix}`;
    expect((await world.say(watch, { channel })).result).toBe("accepted");
    world.dns.names(after, 60);
    await later(world);
    const asked = await question(world);
    const command = `cutover sweep old.example${suffix}`;

    expect(asked?.thread).toMatch(new RegExp(`^${channel}:`));
    expect(asked?.text).toContain(`Type \`${command}\`.`);
    expect(asked?.extra.buttons).toMatchObject([{ label: "Run delta now", command }]);
    if (suffix !== "") {
      const { result } = await world.say("cutover sweep old.example", { channel });
      expect(result, "without its project").toBe("refused");
    }
    const { passes } = await world.say(command, { channel });
    expect(await world.desk.passes.snapshot(passes[0]!)).toMatchObject({
      project: { name: "acme" },
      kind: "delta",
    });
  });
});
