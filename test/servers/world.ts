import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { makeBot } from "../../bot/bot.ts";
import { commands } from "../../bot/commands/table.ts";
import { localIncoming, localPerson } from "../../bot/surfaces/local/chat.ts";
import { localSurface } from "../../bot/surfaces/local/surface.ts";
import { type Clock, wallClock } from "../../engine/domain/clock.ts";
import type { PassKind, PassSnapshot } from "../../engine/domain/pass.ts";
import { ended } from "../../engine/domain/pass.ts";
import { type PresetName, presets } from "../../engine/domain/policy.ts";
import type { Entry, Filters, Project } from "../../engine/domain/project.ts";
import type { Endpoint } from "../../engine/domain/provider.ts";
import { Secret } from "../../engine/domain/secret.ts";
import { startEngine } from "../../engine/engine.ts";
import { type OpenConfig, type Opened, openGodwit } from "../../engine/open.ts";
import { preview, submit } from "../../engine/submit.ts";
import type { Settings } from "../../engine/works.ts";
import type { Dovecot } from "./dovecot.ts";

/** Godwit between two real servers, on a database of its own. */
export interface World extends AsyncDisposable {
  godwit: Opened;
  databaseUrl: string;
  folder: string;
  project: Project;
  /** `name@old.example` to `name@new.example`. */
  add(...names: string[]): Promise<Entry[]>;
  filters(change: Partial<Filters>): Promise<void>;
  submit(kind: PassKind, options?: PassOptions): Promise<number>;
  /** Types a line in the channel, as the owner or another local person, and answers what was said. */
  say(text: string, as?: string): Promise<string>;
  /** Submits a pass, has an engine carry it and answers how it ended. */
  pass(kind: PassKind, options?: PassOptions): Promise<PassSnapshot>;
  /** Has an engine of this process carry what waits, until the pass has ended. */
  finish(pass: number): Promise<PassSnapshot>;
}

export interface PassOptions {
  days?: number;
  at?: number;
  selection?: string[];
}

export interface WorldOptions {
  databaseUrl?: string;
  policy?: PresetName;
  licenses?: number;
  source?: Partial<Endpoint>;
  target?: Partial<Endpoint>;
  settings?: Partial<Settings>;
  clock?: Clock;
  dns?: NonNullable<OpenConfig["dns"]>;
}

const quick: Partial<Settings> = {
  quietMs: 300,
  silentQuietMs: 300,
  retryMs: 50,
  batch: { items: 20, bytes: 4_000_000 },
};

/** The key file beside an SQLite database; on PostgreSQL every process is given the same key. */
export function keysFor(databaseUrl: string): string | null {
  return databaseUrl.startsWith("sqlite:") ? null : `k1:${Buffer.alloc(32, 7).toString("base64")}`;
}

/** A project from `old` to `new`, by their master user, with licenses. */
export async function startWorld(
  old: Pick<Dovecot, "host" | "port">,
  fresh: Pick<Dovecot, "host" | "port">,
  options: WorldOptions = {},
): Promise<World> {
  const folder = await mkdtemp(join(tmpdir(), "godwit-"));
  const databaseUrl = options.databaseUrl ?? `sqlite:${join(folder, "godwit.db")}`;
  const godwit = await openGodwit({
    databaseUrl,
    keys: keysFor(databaseUrl),
    settings: { ...quick, ...options.settings },
    ...(options.clock !== undefined && { clock: options.clock }),
    ...(options.dns !== undefined && { dns: options.dns }),
    log: { info() {}, warn() {}, error() {} },
    tell() {},
  });
  const { projects, licenses, passes } = godwit.desk;
  const source = await projects.addEndpoint({ ...endpoint("old", old), ...options.source });
  const target = await projects.addEndpoint({ ...endpoint("new", fresh), ...options.target });
  const project = await projects.create({
    name: "acme",
    sourceEndpoint: source.id,
    targetEndpoint: target.id,
    policy: presets[options.policy ?? "rackspace"],
    zone: "Europe/Berlin",
  });
  await licenses.grant(project.id, options.licenses ?? 50, "test", "order 1");
  await projects.link("local:main", project.id);
  const bot = makeBot({
    desk: godwit.desk,
    surfaces: [localSurface(godwit.desk.transcript)],
    commands,
    machine: { env: () => undefined, readFile: () => Promise.reject(), ownVariables: [] },
    options: { owners: ["local:owner"], endpointsAllowed: [] },
    log: {
      error(facts) {
        throw facts.err;
      },
    },
  });
  const world: World = {
    godwit,
    databaseUrl,
    folder,
    project,
    add: (...names) =>
      projects.add(
        project.id,
        names.map((name) => ({
          source: `${name}@old.example`,
          target: `${name}@new.example`,
          sourceUser: null,
          sourcePassword: null,
          targetUser: null,
          targetPassword: null,
        })),
      ),
    async filters(change) {
      const now = await projects.byId(project.id);
      await projects.change(project.id, { filters: { ...now.filters, ...change } });
    },
    async submit(kind, { days, at, selection } = {}) {
      const limit = days === undefined ? (at === undefined ? null : { at }) : { days };
      const request = { kind, limit, selection: selection ?? [], types: null };
      const plan = await preview(request, project.id, false, godwit.desk);
      return submit(plan, { who: "test", thread: "test:1" }, godwit.desk);
    },
    async say(text, as) {
      const before = await godwit.desk.transcript.last();
      await bot.handle(localIncoming(text, localPerson(as ?? null)));
      const lines = await godwit.desk.transcript.after(before, 1000);
      return lines.map((line) => line.text).join("\n");
    },
    async pass(kind, passOptions) {
      return world.finish(await world.submit(kind, passOptions));
    },
    async finish(pass) {
      await using _engine = startEngine(godwit.works, godwit.desk.queue, {
        concurrency: 2,
        lookMs: 20,
        wantedMs: 20,
      });
      for (;;) {
        const snapshot = await passes.snapshot(pass);
        if (ended(snapshot.state)) return snapshot;
        await wallClock.sleep(20);
      }
    },
    async [Symbol.asyncDispose]() {
      await godwit[Symbol.asyncDispose]();
      await rm(folder, { recursive: true, force: true });
    },
  };
  return world;
}

/** An endpoint on the loopback address, by the master user. */
function endpoint(name: string, at: Pick<Dovecot, "host" | "port">): Omit<Endpoint, "id"> {
  return {
    name,
    provider: "imap",
    host: at.host,
    port: at.port,
    security: "none",
    login: "master",
    masterUser: "master",
    masterFormat: "star",
    masterPassword: new Secret("masterpass"),
    ca: null,
    fingerprint: null,
    inward: true,
  };
}
