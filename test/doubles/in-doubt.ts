import { expect } from "vitest";
import { UnavailableError } from "../../engine/domain/errors.ts";
import type { Receipt } from "../../engine/domain/provider.ts";
import { preview, submit } from "../../engine/submit.ts";
import { carryRun } from "../../engine/worker.ts";
import type { Works } from "../../engine/works.ts";
import type { MemoryWorld } from "./memory-world.ts";
import { refused } from "./twisted.ts";

/** The UIDs of each batch in doubt. */
export const inDoubt = async (world: MemoryWorld) => {
  const [entry] = await world.godwit.desk.projects.entries(world.project.id);
  return (await world.works.ledger.intents(entry!.id)).map(({ uids }) => uids);
};

/** What a target says that breaks down over an item. */
export const brokeDown = (uid: number): Receipt => ({
  ...refused(uid, "NO [SERVERBUG]"),
  mayStand: true,
});

/** The works with batches of so many. */
export const inSmallBatches = (works: Works, items = 1): Works => ({
  ...works,
  settings: { ...works.settings, batch: { items, bytes: 1_000_000 } },
});

/** A full pass whose engine dies right after it has asked the target, which did not show anything of the batch. */
export async function askedInVain(world: MemoryWorld, works: Works): Promise<void> {
  const { desk } = world.godwit;
  const request = { kind: "full" as const, limit: null, selection: [], types: null };
  const plan = await preview(request, world.project.id, false, desk);
  await submit(plan, { who: "test", thread: "test:1" }, desk);
  const [run] = await desk.passes.waiting(1);
  const ledger: Works["ledger"] = {
    ...works.ledger,
    async settle(...settlement) {
      await works.ledger.settle(...settlement);
      throw new UnavailableError("killed");
    },
  };
  const dead = carryRun(run!, { ...works, ledger }, new AbortController().signal);
  await expect(dead).rejects.toThrow("killed");
}

/** The same, and the pass is stopped then, with what it asked for in doubt. */
export async function stoppedInVain(world: MemoryWorld, works: Works): Promise<void> {
  await askedInVain(world, works);
  const { id } = await lastPass(world);
  await world.godwit.desk.passes.control(id, "stop", "test");
  await world.carry();
}

/** The pass that was submitted last, as it stands. */
export async function lastPass({ godwit, project }: MemoryWorld) {
  const { passes } = godwit.desk;
  const [last] = await passes.recent(project.id, 1);
  return passes.snapshot(last!.id);
}
