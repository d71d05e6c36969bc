import type { Clock } from "./domain/clock.ts";
import type { Ledger } from "./domain/ledger.ts";
import type { Owners } from "./domain/owner.ts";
import type { Paces } from "./domain/pace.ts";
import type { Passes } from "./domain/pass.ts";
import type { Projects } from "./domain/project.ts";
import type { Address, Provider } from "./domain/provider.ts";

/** What a worker needs to carry a run. */
export interface Works {
  passes: Passes;
  ledger: Ledger;
  paces: Pick<Paces, "heard">;
  projects: Projects;
  owners: Owners;
  providers: Record<Address["endpoint"]["provider"], Provider>;
  clock: Clock;
  log: Log;
  settings: Settings;
}

/** Structured log lines; never a secret, a subject or a body. */
export interface Log {
  info(facts: Record<string, unknown>, text: string): void;
  warn(facts: Record<string, unknown>, text: string): void;
  error(facts: Record<string, unknown>, text: string): void;
}

export interface Settings {
  batch: { items: number; bytes: number };
  /** How long a target may still store what it was sent before its connection died, in ms. */
  quietMs: number;
  /** The same for a connection that died without a word: the network may still deliver. */
  silentQuietMs: number;
  /** Tries without progress before a run fails. */
  tries: number;
  /** The same while it is the server that takes nobody: an hour, with the pauses between them. */
  serverTries: number;
  /** The first pause between tries; doubles up to 60 times itself. */
  retryMs: number;
  /** From this on a pause is not sat out: another run has its place meanwhile. */
  letGoMs: number;
}

export const defaults: Settings = {
  batch: { items: 100, bytes: 4_000_000 },
  quietMs: 30_000,
  silentQuietMs: 15 * 60_000,
  tries: 8,
  serverTries: 66,
  retryMs: 1_000,
  letGoMs: 5_000,
};

/** Why a run is asked to stop between two batches. */
export type Interruption = "pause" | "stop" | "window" | "shutdown";
