import { afterEach, describe, expect, test } from "vitest";
import type { PassKind } from "../../engine/domain/pass.ts";
import { type Policy, type PresetName, presets } from "../../engine/domain/policy.ts";
import { preview, submit } from "../../engine/submit.ts";
import { type MemoryWorld, memoryWorld } from "../doubles/memory-world.ts";

// The presets of semantics.md, side by side, and what each makes of the field's license table.

const table: [key: keyof Policy, rackspace: unknown, bittitan: unknown, cloudiway: unknown][] = [
  ["passesPerLicense", 10, 10, "unlimited"],
  ["overLimit", "ask", "ask", "ask"],
  ["deltaWindowDays", null, null, 90],
  ["remigration", "new license", "new license", "new license, target must be empty"],
  ["updates", "never", "never", "never"],
  ["moves", "duplicate", "duplicate", "duplicate"],
  ["nonMail", "first full pass", "first full pass", "first full pass"],
];

test.each(table)("%s", (key, ...values) => {
  const all = [presets.rackspace, presets.bittitan, presets.cloudiway];
  expect(all.map((policy) => (policy as Policy)[key])).toEqual(values);
});

let world: MemoryWorld;
let opened: MemoryWorld | null = null;
afterEach(async () => {
  await opened?.[Symbol.asyncDispose]();
  opened = null;
});

const day = 24 * 60 * 60 * 1000;
const names = ["rackspace", "bittitan", "cloudiway"] as const;
let letters = 0;

async function underPolicy(policy: Policy): Promise<void> {
  world = await memoryWorld();
  opened = world;
  await world.godwit.desk.projects.change(world.project.id, { policy });
  await world.add("anna");
  deliver();
}

function deliver(): void {
  letters += 1;
  world.system.deliver(
    "anna@old",
    "INBOX",
    Buffer.from(`Subject: ${letters}\r\n\r\n${letters}\r\n`),
  );
}

const used = async () => (await world.godwit.desk.licenses.balance(world.project.id)).consumed;
const passesUsed = async () =>
  (await world.godwit.desk.projects.entries(world.project.id))[0]?.passesUsed;

/** A pass that brings something; `asked`: somebody saw its plan. */
async function carried(kind: PassKind, asked = false): Promise<void> {
  const { desk } = world.godwit;
  const request = { kind, limit: null, selection: [], types: null };
  const plan = await preview(request, world.project.id, asked, desk);
  await submit(plan, { who: "test", thread: "test:1" }, desk);
  await world.carry();
}

async function tenPasses(): Promise<void> {
  for (let n = 0; n < 10; n += 1) {
    deliver();
    await carried("delta");
  }
}

/** Everything there is to the entry starts from scratch, into an emptied mailbox. */
async function again(): Promise<void> {
  const { desk } = world.godwit;
  for (const { uid } of [...world.system.letters("anna@new", "INBOX")]) {
    world.system.remove("anna@new", "INBOX", uid);
  }
  const [entry] = await desk.projects.entries(world.project.id);
  await desk.remigrations.begin({
    project: world.project.id,
    because: "deleted",
    reason: "test",
    by: "test",
    approvedBy: null,
    acceptsDuplicates: false,
    entries: [{ entry: entry!.id, target: null }],
    ticks: [],
  });
}

describe.each(names)("under %s", (name: PresetName) => {
  test("the license table of the field: initial 1, delta 0, remigration 1, the second 1 more", async () => {
    await underPolicy(presets[name]);
    const steps: [what: string, work: () => Promise<void>, licenses: number][] = [
      ["verify", () => carried("verify"), 0],
      ["trial", () => carried("trial"), 0],
      ["initial", () => carried("full"), 1],
      ["delta", () => carried("delta"), 1],
      ["retry", () => carried("retry"), 1],
      ["repair", () => carried("repair"), 1],
      ["remigration", again, 1],
      ["its full pass", () => carried("full"), 2],
      ["its delta", () => carried("delta"), 2],
      ["a second remigration", again, 2],
      ["its full pass", () => carried("full"), 3],
    ];
    for (const [what, work, licenses] of steps) {
      if (what !== "retry" && what !== "repair") deliver();
      await work();
      expect([what, await used()]).toEqual([what, licenses]);
    }
  });
});

describe("over the passes of a license", () => {
  test.each(["rackspace", "bittitan"] as const)(
    "%s asks for one more, and is refused where there is nobody to ask",
    async (name) => {
      await underPolicy(presets[name]);
      await tenPasses();
      deliver();

      await expect(carried("delta")).rejects.toThrow("10 of 10 passes are used");
      expect(await used()).toBe(1);
      await carried("delta", true);

      expect([await used(), await passesUsed()]).toEqual([2, 1]);
    },
  );

  test("cloudiway never counts, but its window closes 90 days after the first success", async () => {
    await underPolicy(presets.cloudiway);
    await tenPasses();
    deliver();
    await carried("delta");
    expect([await used(), await passesUsed()]).toEqual([1, 11]);

    world.clock.set(world.clock.now() + 91 * day);
    deliver();
    await expect(carried("delta")).rejects.toThrow("its 90 days of deltas are over");
    await carried("delta", true);

    expect([await used(), await passesUsed()]).toEqual([2, 1]);
  });

  test.each([
    ["block", "the policy says block", 1],
    ["consume", null, 2],
  ] as const)("`%s` asks nobody", async (overLimit, refused, licenses) => {
    await underPolicy({ ...presets.rackspace, preset: "custom", overLimit });
    await tenPasses();
    deliver();

    const eleventh = carried("delta", overLimit === "block");
    if (refused === null) await eleventh;
    else await expect(eleventh).rejects.toThrow(refused);

    expect(await used()).toBe(licenses);
  });

  test("verify, trial, retry and repair go on, and count for nothing", async () => {
    await underPolicy({ ...presets.rackspace, overLimit: "block" });
    await carried("trial");
    await tenPasses();
    for (const kind of ["verify", "retry", "repair"] as const) await carried(kind);

    expect([await used(), await passesUsed()]).toEqual([1, 10]);
  });
});

test("a plan from before the last pass of a license was used does not start one too many", async () => {
  await underPolicy({ ...presets.rackspace, passesPerLicense: 2, overLimit: "block" });
  await carried("full");
  const { desk } = world.godwit;
  const request = { kind: "delta" as const, limit: null, selection: [], types: null };
  const stale = await preview(request, world.project.id, true, desk);
  deliver();
  await carried("delta");

  await expect(submit(stale, { who: "test", thread: "test:1" }, desk)).rejects.toThrow(
    "The license of anna@old was used up meanwhile. Nothing was started.",
  );
});

describe("what counts as a pass", () => {
  test("is what the pass's own policy said when it started", async () => {
    await underPolicy({ ...presets.rackspace, preset: "custom", counts: ["full", "delta"] });
    await carried("full");
    expect(await passesUsed()).toBe(1);
    const { desk } = world.godwit;
    const request = { kind: "delta" as const, limit: null, selection: [], types: null };
    const plan = await preview(request, world.project.id, false, desk);
    deliver();
    await submit(plan, { who: "test", thread: "test:1" }, desk);
    await desk.projects.change(world.project.id, {
      policy: { ...presets.rackspace, preset: "custom", counts: ["full"] },
    });

    await world.carry();

    expect(await passesUsed(), "it started when deltas counted").toBe(2);
    deliver();
    await carried("delta");
    expect(await passesUsed(), "this one started when they did not").toBe(2);
  });

  test("one that wrote nothing and did not complete counts for nothing", async () => {
    await underPolicy(presets.rackspace);
    const { desk } = world.godwit;
    const request = { kind: "full" as const, limit: null, selection: [], types: null };
    const plan = await preview(request, world.project.id, false, desk);
    const pass = await submit(plan, { who: "test", thread: "test:1" }, desk);
    await desk.passes.control(pass, "stop", "test");

    expect([await used(), await passesUsed()]).toEqual([0, 0]);
  });
});
