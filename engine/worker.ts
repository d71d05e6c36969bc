import type { Instant } from "./domain/clock.ts";
import { FencedError, TransientError, UnavailableError } from "./domain/errors.ts";
import type { Owned } from "./domain/owner.ts";
import { type Checked, type Job, noTries, type RunEnd, type RunId } from "./domain/pass.ts";
import type { Address, Provider } from "./domain/provider.ts";
import type { ZonedWindows } from "./domain/window.ts";
import { type Care, newCare } from "./pass/care.ts";
import { checkFirst, refuseFull } from "./pass/check.ts";
import type { AllResent } from "./pass/late.ts";
import type { PassResult } from "./pass/result.ts";
import { reach } from "./pass/whole.ts";
import { repairPass } from "./repair-pass.ts";
import { ending, failure, gaveUp, isClean } from "./run-end.ts";
import { runPass } from "./run-pass.ts";
import { goesOn, heard, kindOf, mostTries, quiet } from "./waits.ts";
import { closedUntil } from "./windows.ts";
import type { Interruption, Works } from "./works.ts";

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
      works.log.warn({ run }, "this engine lost its hold on the mailbox and lets go");
      return false;
    }
    throw error;
  }
}

/** A mailbox whose password only other processes can open is left to them before it has a place anywhere. */
async function refuseWithoutKey({ entry, run }: Job, { projects, passes }: Works): Promise<void> {
  try {
    await projects.addresses(entry);
  } catch (error) {
    // Whatever else is wrong is found again, and told, once it has begun.
    if (!(error instanceof UnavailableError)) return;
    // To stop or pause it needs no password.
    if ((await passes.wanted([run])).get(run) === "run") throw error;
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
  // Over all connections: what was sent first may be stored late.
  const resent: AllResent = new Map();
  const care = newCare();
  let askedAgain = 0;
  // People are told of the first try in vain, and then that it brings something, or how it ends.
  const isQuiet = () => tries.own + tries.server > 1 || askedAgain > 1;
  for (;;) {
    const progress = { made: false, quietly: isQuiet(), resent, care };
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
      // To be asked again for a message it refused is as good as to have given it up, and no fault of the connection.
      const asksAgain = !broken && error.waitingFor === "doubt";
      if (asksAgain) askedAgain += 1;
      // A server that takes its time over each message gains none by it.
      const blames = kind === "own" && !broken && !asksAgain;
      const gaveUpOne = care.lost(progress.made, blames) && !broken && !error.silent;
      if (progress.made || gaveUpOne) tries = noTries;
      else if (asksAgain) tries = { ...tries, own: 0 };
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
      works.log.info({ run: job.run, waitingFor: error.waitingFor, until }, "a run waits");
      // A message over which connections are lost is found by this engine, or never.
      const keeps = kind === "own" && care.knows();
      if (!keeps && until - works.clock.now() >= works.settings.letGoMs) {
        await works.passes.letGo(job.run, { for: error.waitingFor, until }, tries, owned.fence);
        return null;
      }
      const waiting = { for: error.waitingFor, until };
      // Until when it waits for the quiet time is told by the next try.
      const quietly = isQuiet() || asksAgain;
      await works.passes.wait(job.run, waiting, owned.fence, { quietly });
      await works.clock.sleep(until - works.clock.now(), stop);
      if (stop.aborted) return interrupted(stop, owned);
    }
  }
}

async function once(
  job: Job,
  works: Works,
  owned: Owned,
  doubtSettlesAt: Instant,
  progress: { made: boolean; quietly: boolean; resent: AllResent; care: Care },
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
    longestQuietMs: Math.max(settings.quietMs, settings.silentQuietMs),
    batch: settings.batch,
    lost: owned.lost,
    resent: progress.resent,
    care: progress.care,
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
        await passes.wait(job.run, { for: "doubt", until: event.until }, fence, progress);
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

function interrupted(stop: AbortSignal, owned: Owned): RunEnd | null {
  if (owned.lost.aborted) throw new FencedError("The lock on the entry is lost.");
  const why = because(stop);
  if (why === "shutdown" || why === "window") return null;
  return { state: why === "pause" ? "paused" : "stopped", reason: null, survey: null };
}
