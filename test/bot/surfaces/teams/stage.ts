import type { Handle, Incoming } from "../../../../bot/surface.ts";
import {
  openTeams,
  type TeamsOptions,
  type TeamsPlatform,
} from "../../../../bot/surfaces/teams/open.ts";
import type { Contacts } from "../../../../engine/domain/thread.ts";
import { type FakeTeams, startFakeTeams } from "../../../servers/teams.ts";
import { ana, bo, type TeamsSide, teamsSide, tenant } from "../../../servers/teams-side.ts";

/** Our side and theirs, with nobody behind. */
export interface Stage extends AsyncDisposable {
  fake: FakeTeams;
  platform: TeamsPlatform;
  side: TeamsSide;
  heard: Incoming[];
  /** What comes of what is heard, in place of the bot. */
  answer: { with: Handle };
  clock: { now(): number; advance(ms: number): void };
  logged: string[];
  /** Ends when so much was heard. */
  until(done: () => boolean): Promise<void>;
}

export async function openStage(options: Partial<TeamsOptions> = {}): Promise<Stage> {
  const fake = await startFakeTeams();
  fake.members.push(ana, bo);
  const heard: Incoming[] = [];
  const logged: string[] = [];
  const answer: Stage["answer"] = { with: async () => {} };
  let now = Date.UTC(2026, 10, 21);
  const clock = {
    now: () => now,
    advance: (ms: number) => {
      now += ms;
    },
    sleep: async () => {},
  };
  const log = (facts: Record<string, unknown>, text: string) =>
    void logged.push(`${text} ${String(facts.err)}`);
  const platform = await openTeams({
    appId: null,
    appPassword: null,
    tenantId: tenant,
    port: 0,
    contacts: memoryContacts(),
    log: { warn: log, error: log },
    clock,
    ...options,
  });
  const hear = async (incoming: Incoming) => {
    heard.push(incoming);
    await answer.with(incoming);
  };
  const server = await platform.listen(hear).catch(async (error: unknown) => {
    await fake[Symbol.asyncDispose]();
    throw error;
  });
  return {
    fake,
    platform,
    side: teamsSide(platform.url()!, fake),
    heard,
    answer,
    clock,
    logged,
    until,
    async [Symbol.asyncDispose]() {
      await server[Symbol.asyncDispose]();
      await fake[Symbol.asyncDispose]();
    },
  };
}

/** Looks until it is so, some seconds at most. */
export async function until(done: () => boolean | Promise<boolean>, ms = 10_000): Promise<void> {
  const end = Date.now() + ms;
  while (!(await done())) {
    if (Date.now() > end) throw new Error("It did not come to be.");
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

export function memoryContacts(): Contacts {
  const kept = new Map<string, string>();
  return {
    async keep(place, how) {
      kept.set(place, how);
    },
    async of(place) {
      return kept.get(place) ?? null;
    },
  };
}
