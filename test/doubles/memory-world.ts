import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Clock, Instant } from "../../engine/domain/clock.ts";
import type { PassKind, PassSnapshot } from "../../engine/domain/pass.ts";
import { presets } from "../../engine/domain/policy.ts";
import type { Entry, Project } from "../../engine/domain/project.ts";
import { noFilters } from "../../engine/domain/project.ts";
import type { Endpoint } from "../../engine/domain/provider.ts";
import { Secret } from "../../engine/domain/secret.ts";
import { type Opened, openGodwit } from "../../engine/open.ts";
import { type MemorySystem, memorySystem } from "../../engine/providers/memory/provider.ts";
import { preview, submit } from "../../engine/submit.ts";
import { carryRun } from "../../engine/worker.ts";
import type { Works } from "../../engine/works.ts";

/** A clock that stands still; sleeping moves it. */
export function standingClock(start: Instant): Clock & { set(to: Instant): void } {
  let now = start;
  return {
    now: () => now,
    set: (to) => {
      now = to;
    },
    sleep(ms, signal) {
      if (signal?.aborted !== true) now += Math.max(0, ms);
      return Promise.resolve();
    },
  };
}

export interface MemoryWorld extends AsyncDisposable {
  godwit: Opened;
  /** Both ends: `<name>@old` and `<name>@new` are mailboxes of one system. */
  system: MemorySystem;
  clock: ReturnType<typeof standingClock>;
  project: Project;
  works: Works;
  add(...names: string[]): Promise<Entry[]>;
  /** Submits a pass over all entries, carries its runs one by one and answers how it ended. */
  pass(kind: PassKind, options?: { days?: number; works?: Works }): Promise<PassSnapshot>;
  /** Carries the runs that wait. */
  carry(works?: Works): Promise<void>;
}

const endpoint = (name: string, change: Partial<Endpoint> = {}): Omit<Endpoint, "id"> => ({
  name,
  provider: "memory",
  host: name,
  port: 143,
  security: "none",
  login: "master",
  masterUser: "master",
  masterFormat: "star",
  masterPassword: new Secret("masterpass"),
  ca: null,
  fingerprint: null,
  inward: true,
  ...change,
});

/** Godwit on an SQLite database of its own, with two mail systems in memory and ten licenses. */
export async function memoryWorld(
  options: { start?: Instant; maxItemSize?: number } = {},
): Promise<MemoryWorld> {
  const folder = await mkdtemp(join(tmpdir(), "godwit-"));
  const clock = standingClock(options.start ?? Date.UTC(2026, 10, 20, 12));
  const silent = { info() {}, warn() {}, error() {} };
  const godwit = await openGodwit({
    databaseUrl: `sqlite:${join(folder, "godwit.db")}`,
    keys: null,
    settings: {},
    log: silent,
    clock,
    tell() {},
  });
  const system = memorySystem(
    options.maxItemSize === undefined ? {} : { maxItemSize: options.maxItemSize },
  );
  const { projects, licenses, passes } = godwit.desk;
  const old = await projects.addEndpoint(endpoint("old"));
  const fresh = await projects.addEndpoint(endpoint("new"));
  const project = await projects.create({
    name: "acme",
    sourceEndpoint: old.id,
    targetEndpoint: fresh.id,
    policy: presets.rackspace,
    zone: "Europe/Berlin",
  });
  await projects.change(project.id, { filters: noFilters });
  await licenses.grant(project.id, 10, "test", "order");
  const works: Works = {
    ...godwit.works,
    providers: { ...godwit.works.providers, memory: system },
  };
  const world: MemoryWorld = {
    godwit,
    system,
    clock,
    project,
    works,
    add: (...names) =>
      projects.add(
        project.id,
        names.map((name) => ({
          source: `${name}@old`,
          target: `${name}@new`,
          sourceUser: null,
          sourcePassword: null,
          targetUser: null,
          targetPassword: null,
        })),
      ),
    async pass(kind, { days, works: others } = {}) {
      const request = {
        kind,
        limit: days === undefined ? null : { days },
        selection: [],
        types: null,
      };
      const plan = await preview(request, project.id, false, godwit.desk);
      const pass = await submit(plan, { who: "test", thread: "test:1" }, godwit.desk);
      await world.carry(others);
      return passes.snapshot(pass);
    },
    async carry(others = works) {
      for (;;) {
        const waiting = await passes.waiting(100);
        if (waiting.length === 0) {
          const next = await letGoUntil(godwit, project);
          if (next === null) return;
          // Where its server is left alone as well, its time alone does not bring it back.
          clock.set(Math.max(next, clock.now() + 10_000));
        }
        for (const run of waiting) await carryRun(run, others, new AbortController().signal);
      }
    },
    async [Symbol.asyncDispose]() {
      await godwit[Symbol.asyncDispose]();
      await rm(folder, { recursive: true, force: true });
    },
  };
  return world;
}

/** When the first of the runs that were let go of goes on; null where none was. Hours are the test's to move to. */
async function letGoUntil({ desk }: Opened, project: Project): Promise<Instant | null> {
  const runs = (await desk.passes.running(project.id)).flatMap((pass) => pass.runs);
  const times = runs.flatMap(({ state, waiting }) =>
    state !== "queued" || waiting?.until == null || waiting.for === "window" ? [] : [waiting.until],
  );
  return times.length === 0 ? null : Math.min(...times);
}
