import type { Dovecot } from "../servers/dovecot.ts";
import type { Dump } from "../servers/imap-client.ts";
import { startWorld } from "../servers/world.ts";
import { dump, finish, seed, startEngineProcess } from "./kills.ts";

/** What a killed repair left: how often each message stands in the target mailbox, beside how often it did. */
export interface Repaired {
  kills: number;
  /** By content, in whatever folder. */
  before: Map<string, number>;
  after: Map<string, number>;
  /** In the folder its owner moved some to. */
  moved: number;
  consumed: number;
}

/**
 * Carries a mailbox, takes every second message out of the target and moves three, kills an engine at a point
 * while it repairs, and lets another finish. `stopped`: the repair is stopped after the kill, and a delta and
 * another repair come instead.
 */
export async function killRepairAt(
  old: Dovecot,
  fresh: Dovecot,
  options: { point: string; nth: number; user: string; stopped: boolean; blind?: boolean },
): Promise<Repaired> {
  const { user } = options;
  await seed(old, `${user}@old.example`, 60, 7);
  await using world = await startWorld(old, fresh);
  await world.add(user);
  await world.submit("full");
  await finish(world);
  const target = `${user}@new.example`;
  const before = contents(await dump(fresh, target));
  await using client = await fresh.login(target);
  await client.create("Kept");
  await client.command("SELECT INBOX");
  await client.command("UID MOVE 1:3 Kept");
  for (const [folder, { messages }] of await client.dump()) {
    const some = messages.filter(({ uid }) => uid % 2 === 0).map(({ uid }) => uid);
    if (folder !== "Kept" && some.length > 0) await client.expunge(folder, some.join(","));
  }
  const pass = await world.submit("repair");
  const crash = `${options.point}:${options.nth}`;
  const control = options.blind === true ? "blind" : "";
  const how = await startEngineProcess(world, crash, control).ended;
  if (options.stopped) {
    await world.godwit.desk.passes.control(pass, "stop", "test");
    await finish(world);
    for (const kind of ["delta", "repair"] as const) {
      await world.submit(kind);
      await finish(world);
    }
  } else await finish(world, control);
  const there = await dump(fresh, target);
  const { consumed } = await world.godwit.desk.licenses.balance(world.project.id);
  return {
    kills: how === "SIGKILL" ? 1 : 0,
    before,
    after: contents(there),
    moved: there.get("Kept")?.messages.length ?? 0,
    consumed,
  };
}

function contents(dumped: Dump): Map<string, number> {
  const found = new Map<string, number>();
  for (const { messages } of dumped.values()) {
    for (const { sha } of messages) found.set(sha, (found.get(sha) ?? 0) + 1);
  }
  return new Map([...found].sort(([a], [b]) => (a < b ? -1 : 1)));
}
