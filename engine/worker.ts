import { randomBytes } from "node:crypto";
import type { Clock, Instant } from "./domain/clock.ts";
import {
  FencedError,
  FolderError,
  harmless,
  TransientError,
  UnavailableError,
  UserError,
} from "./domain/errors.ts";
import type { Ledger } from "./domain/ledger.ts";
import type { Owned, Owners } from "./domain/owner.ts";
import { type Paces, places } from "./domain/pace.ts";
import {
  type Checked,
  type Job,
  noTries,
  type Passes,
  type RunEnd,
  type RunId,
  type Tries,
} from "./domain/pass.ts";
import type { Projects } from "./domain/project.ts";
import type { Address, Provider } from "./domain/provider.ts";
import type { ZonedWindows } from "./domain/window.ts";
import { checkFirst, refuseFull } from "./pass/check.ts";
import type { PassResult } from "./pass/result.ts";
import { reach } from "./pass/whole.ts";
import { repairPass } from "./repair-pass.ts";
import { runPass } from "./run-pass.ts";
import { closedUntil } from "./windows.ts";

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

/**
 * Carries one run from where it stands to its end: owns the entry, opens both ends, runs the pass, waits and
 * opens again when a connection is lost. A run somebody else owns, or that may not begin, is left alone; one whose
 * window is closed, or closes meanwhile, is put off until it opens; one that has to wait long is let go of.
 * True where it was begun. Only a fault of the database is thrown.
 */
export async function carryRun(run: RunId, works: Works, interrupt: AbortSignal): Promise<boolean> {
  const job = await works.passes.job(run);
  await using owned = await works.owners.take(job.entry);
  if (owned === null) return false;
  await refuseWithoutKey(job, works);
  const stop = AbortSignal.any([interrupt, owned.lost]);
  const closed = ({ windows, zone }: ZonedWindows) => closedUntil(windows, zone, works.clock.now());
  try {
    if (await works.passes.putOff(run, closed, owned.fence)) return false;
    if (!(await works.passes.begin(run, owned.fence))) return false;
    const end = await untilEnd(job, works, owned, stop);
    if (end !== null) await works.passes.end(run, end, owned.fence);
    else if (because(stop) === "window") await works.passes.putOff(run, closed, owned.fence);
    return true;
  } catch (error) {
    // Another process owns the entry now and goes on from what the ledger says.
    if (error instanceof FencedError) {
      works.log.warn({ run }, "another engine owns the entry; this one lets go");
      return false;
    }
    throw error;
  }
}

/** A mailbox whose password only other processes can open is left to them before it has a place anywhere. */
async function refuseWithoutKey({ entry }: Job, { projects }: Works): Promise<void> {
  try {
    await projects.addresses(entry);
  } catch (error) {
    // Whatever else is wrong is found again, and told, once it has begun.
    if (error instanceof UnavailableError) throw error;
  }
}

function because(stop: AbortSignal): Interruption {
  return stop.reason as Interruption;
}

/** Null when the run stays for the next engine: the process shuts down, the window closes, or a long wait begins. */
async function untilEnd(
  job: Job,
  works: Works,
  owned: Owned,
  stop: AbortSignal,
): Promise<RunEnd | null> {
  // Whoever owned the entry before may have died a moment ago with bytes on the way.
  let doubtSettlesAt = works.clock.now() + works.settings.quietMs;
  let { tries } = job;
  for (;;) {
    const progress = { made: false };
    try {
      if (job.kind === "verify") return await verify(job, works);
      const { result, checked } = await once(job, works, owned, doubtSettlesAt, progress, stop);
      if (result.interrupted || (stop.aborted && checked === null)) return interrupted(stop, owned);
      return { ...ending(result, checked), ...(checked === null ? {} : { checked }) };
    } catch (error) {
      // Without the database nothing can be said of the run: it stays as it is for the next look.
      if (error instanceof FencedError || error instanceof UnavailableError) throw error;
      if (owned.lost.aborted) return interrupted(stop, owned);
      const broken = !(error instanceof TransientError);
      const kind = kindOf(error, job);
      if (progress.made) tries = noTries;
      tries = { ...tries, [kind]: tries[kind] + 1 };
      if (!broken) {
        // A later loss of another kind shortens no wait.
        doubtSettlesAt = Math.max(doubtSettlesAt, works.clock.now() + quiet(error, works.settings));
        await works.ledger.hold(job.entry, doubtSettlesAt, owned.fence);
      }
      if (stop.aborted) return interrupted(stop, owned);
      if (broken || tries[kind] >= mostTries(kind, works.settings)) {
        const before = reach(job);
        // What it did not reach is no failed item: a retry is told of it this way.
        if (before !== null) await works.ledger.owe("unmarked", before, owned.fence);
        return broken ? failure(error, job, works) : gaveUp(error, tries[kind], job);
      }
      await heard(error, job, works);
      const until = goesOn(error, tries[kind], works);
      if (until - works.clock.now() >= works.settings.letGoMs) {
        await works.passes.letGo(job.run, { for: error.waitingFor, until }, tries, owned.fence);
        return null;
      }
      await works.passes.wait(job.run, { for: error.waitingFor, until }, owned.fence);
      await works.clock.sleep(until - works.clock.now(), stop);
      if (stop.aborted) return interrupted(stop, owned);
    }
  }
}

function gaveUp(error: TransientError, tries: number, job: Job): RunEnd {
  const again = job.kind === "verify" ? "verify" : "delta";
  const reason = `gave up after ${tries} tries: ${harmless(error.message).replace(/\.$/, "")}. What was carried stays; type \`${again}\` to go on later`;
  return { state: "failed", reason, survey: null };
}

async function once(
  job: Job,
  works: Works,
  owned: Owned,
  doubtSettlesAt: Instant,
  progress: { made: boolean },
  stop: AbortSignal,
): Promise<{ result: PassResult; checked: Checked | null }> {
  const { passes, ledger, projects, clock, settings } = works;
  const addresses = await projects.addresses(job.entry);
  await using source = await provider(addresses.source, works).source(addresses.source);
  await using target = await provider(addresses.target, works).target(addresses.target);
  const { fence } = owned;
  const ends = {
    source,
    target,
    ledger,
    fence,
    clock,
    doubtSettlesAt,
    batch: settings.batch,
    lost: owned.lost,
  };
  await refuseFull(job, ends);
  const pass = job.kind === "repair" ? repairPass : runPass;
  const events = pass(job, ends, stop);
  for (;;) {
    const step = await events.next();
    if (step.done === true) {
      const result = step.value;
      const first = job.remigration?.first === true && isClean(result) && !stop.aborted;
      return { result, checked: first ? await checkFirst(job, ends) : null };
    }
    const event = step.value;
    switch (event.type) {
      case "expected":
        // Both ends answer: what it waited for is over. Not sooner, so that a wait is told once.
        await passes.wait(job.run, null, fence);
        await passes.expect(job.run, event.items, fence);
        break;
      case "waits for doubt":
        await passes.wait(job.run, { for: "doubt", until: event.until }, fence);
        break;
      case "goes on":
        await passes.wait(job.run, null, fence);
        break;
      case "settled":
        progress.made = true;
        break;
      case "rematched":
        works.log.info(
          { run: job.run, found: event.found, carried: event.carried },
          "the source renumbered a folder; what was carried was found again by content",
        );
        break;
      case "folder failed":
        works.log.warn({ run: job.run }, "a folder could not be carried");
        break;
    }
  }
}

async function verify(job: Job, works: Works): Promise<RunEnd> {
  const addresses = await works.projects.addresses(job.entry);
  await using source = await provider(addresses.source, works).source(addresses.source);
  await using target = await provider(addresses.target, works).target(addresses.target);
  const survey = { source: await source.survey(), target: await target.survey() };
  return { state: "completed", reason: null, survey };
}

function provider(address: Address, works: Works): Provider {
  return works.providers[address.endpoint.provider];
}

function isClean({ interrupted, failed, folders, gaps, late }: PassResult): boolean {
  return !interrupted && failed + folders.length + gaps.length + late === 0;
}

function ending(result: PassResult, checked: Checked | null): RunEnd {
  const reasons = result.folders.map(({ folder, reason }) => `${harmless(folder)}: ${reason}`);
  if (result.gaps.length > 0) {
    reasons.unshift(
      `the sums of ${result.gaps.map((one) => harmless(one)).join(", ")} do not balance`,
    );
  }
  if (result.late > 0) {
    reasons.push(
      `the new system stored late, after it had been asked, what was then sent again: ${result.late} stand there twice`,
    );
  }
  if (checked?.passed === false) {
    reasons.push(
      `the check after it found ${checked.missing} of ${checked.carried} not where they were put, and ${checked.duplicates} standing there twice`,
    );
  }
  const clean = result.failed === 0 && reasons.length === 0;
  return {
    state: clean ? "completed" : "completed_with_errors",
    reason: reasons.length > 0 ? harmless(reasons.join("; "), 500) : null,
    survey: null,
  };
}

function interrupted(stop: AbortSignal, owned: Owned): RunEnd | null {
  if (owned.lost.aborted) throw new FencedError("The lock on the entry is lost.");
  const why = because(stop);
  if (why === "shutdown" || why === "window") return null;
  return { state: why === "pause" ? "paused" : "stopped", reason: null, survey: null };
}

function failure(error: unknown, job: Job, works: Works): RunEnd {
  if (error instanceof UserError) return { state: "failed", reason: error.message, survey: null };
  if (error instanceof FolderError) {
    const reason = `${harmless(error.message, 300)}. What was carried stays; type \`${job.kind}\` when that is mended`;
    return { state: "failed", reason, survey: null };
  }
  const reference = randomBytes(4).toString("hex");
  works.log.error({ run: job.run, reference, err: error }, "a run failed for a fault of ours");
  return {
    state: "failed",
    reason: `an error of Godwit's own, reference ${reference}; what was carried stays. Type \`delta\` to go on`,
    survey: null,
  };
}

function quiet(error: TransientError, settings: Settings): number {
  return error.silent ? settings.silentQuietMs : settings.quietMs;
}

/** A server that takes nobody is told from a mailbox that fails by itself, but not by a verify. */
function kindOf(error: unknown, { kind }: Job): keyof Tries {
  const server = error instanceof TransientError && error.server !== null;
  return server && kind !== "verify" ? "server" : "own";
}

function mostTries(kind: keyof Tries, { tries, serverTries }: Settings): number {
  return kind === "server" ? serverTries : tries;
}

/** What a server said is a matter of all its mailboxes as well. */
async function heard(error: TransientError, job: Job, works: Works): Promise<void> {
  if (error.server === null) return;
  const { source, target } = await works.projects.addresses(job.entry);
  const said = [source, target].find(({ endpoint }) => endpoint.id === error.server);
  const pace = await works.paces.heard(error.server, {
    entry: job.entry,
    retryAfterMs: error.retryAfterMs ?? null,
    shared: said?.endpoint.login === "master",
  });
  const now = places(pace, works.clock.now());
  works.log.info(
    { run: job.run, endpoint: error.server, atOnce: now },
    "a mail server asks to wait",
  );
}

/** No run waits for longer by one word of a server. */
const longestMs = 60 * 60_000;

/** When the next try is: each time later, and not before the server's own time. */
function goesOn(error: TransientError, tries: number, { clock, settings }: Works): Instant {
  const backoff = settings.retryMs * Math.min(60, 2 ** (tries - 1));
  return clock.now() + Math.min(longestMs, Math.max(error.retryAfterMs ?? 0, backoff));
}
