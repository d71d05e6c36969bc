import { expect } from "vitest";
import type { LicenseState } from "../../engine/domain/license.ts";
import type { PassKind } from "../../engine/domain/pass.ts";
import type { Policy } from "../../engine/domain/policy.ts";
import type { EntryId } from "../../engine/domain/project.ts";

/** A mailbox as the rules say it stands. */
interface EntryModel {
  source: string;
  license: LicenseState;
  used: number;
  firstSuccess: number | null;
  trialUsed: boolean;
}

export interface RunModel {
  pass: number;
  run: number;
  entry: EntryId;
  kind: PassKind;
  reserved: boolean;
  wrote: boolean;
  counted: boolean;
  state: "queued" | "processing" | "paused" | "ended";
  stopWanted: boolean;
}

const day = 24 * 60 * 60 * 1000;

/** The books of licenses once more, in memory and by the rules alone. */
export function licenseModel(policy: Policy, sources: Map<EntryId, string>, owned: number) {
  const entries = new Map<EntryId, EntryModel>(
    [...sources].map(([id, source]) => [
      id,
      { source, license: "none", used: 0, firstSuccess: null, trialUsed: false },
    ]),
  );
  const runs: RunModel[] = [];
  const moves: string[] = [`grant ${owned}`];
  const sums = { owned, reserved: 0, consumed: 0 };
  const of = (entry: EntryId) => entries.get(entry)!;
  const move = (kind: "reserve" | "consume" | "release", run: RunModel) => {
    const entry = of(run.entry);
    moves.push(`${kind} ${entry.source} ${run.pass}`);
    run.reserved = kind === "reserve";
    sums.reserved += kind === "reserve" ? 1 : -1;
    if (kind === "consume") sums.consumed += 1;
    const state = { reserve: "reserved", consume: "consumed", release: "released" } as const;
    if (entry.license !== "consumed") entry.license = state[kind];
  };
  const count = (run: RunModel) => {
    if (run.counted || !policy.counts.includes(run.kind)) return;
    run.counted = true;
    of(run.entry).used += 1;
  };
  const busy = (entry: EntryId) => runs.some((run) => run.entry === entry && run.state !== "ended");
  /** Under the license it has, an entry may have another pass now. */
  const within = (entry: EntryId, now: number) => {
    const { license, used, firstSuccess } = of(entry);
    const { passesPerLicense: limit, deltaWindowDays: days } = policy;
    if (license !== "consumed") return false;
    if (limit !== "unlimited" && used >= limit) return false;
    return days === null || firstSuccess === null || now <= firstSuccess + days * day;
  };
  const end = (run: RunModel, completed: boolean, now: number) => {
    if (completed) count(run);
    if (run.reserved) move("release", run);
    const entry = of(run.entry);
    if (completed && run.wrote && run.kind !== "trial") entry.firstSuccess ??= now;
    run.state = "ended";
  };

  return {
    runs,
    moves,
    busy,
    balance: () => ({ ...sums, free: sums.owned - sums.reserved - sums.consumed }),
    facts: () => [...entries].map(([id, { source: _source, ...facts }]) => ({ id, ...facts })),
    grant(many: number) {
      sums.owned += many;
      moves.push(`grant ${many}`);
    },
    /** What a plan gives an entry; null where it refuses it. */
    foresee(kind: PassKind, entry: EntryId, asked: boolean, now: number) {
      const { license, trialUsed } = of(entry);
      if (busy(entry) || (kind === "trial" && trialUsed)) return null;
      if (kind === "verify" || kind === "trial") return "none";
      if (license !== "consumed") return "reserve";
      if (kind === "retry" || within(entry, now)) return "none";
      return policy.overLimit === "consume" || (policy.overLimit === "ask" && asked)
        ? "reserve"
        : null;
    },
    within,
    start(
      kind: PassKind,
      pass: number,
      started: { run: number; entry: EntryId; license: "none" | "reserve" }[],
      now: number,
    ) {
      for (const { run, entry, license } of started) {
        const name = `${kind} of ${of(entry).source} in pass ${pass}`;
        expect(busy(entry), `${name}: it has no other pass`).toBe(false);
        if (license === "reserve") {
          expect(within(entry, now), `${name}: it has no license that would do`).toBe(false);
        } else if (policy.counts.includes(kind)) {
          expect(within(entry, now), `${name}: it has a license for this`).toBe(true);
        }
        const made: RunModel = {
          ...{ pass, run, entry, kind },
          ...{ reserved: false, wrote: false, counted: false },
          ...{ state: "queued", stopWanted: false },
        };
        runs.push(made);
        if (license === "reserve") move("reserve", made);
      }
    },
    write(run: RunModel) {
      if (run.wrote) return;
      run.wrote = true;
      const entry = of(run.entry);
      if (run.kind === "trial") entry.trialUsed = true;
      if (run.reserved) {
        move("consume", run);
        Object.assign(entry, { used: 0, firstSuccess: null });
      }
      count(run);
    },
    begin(run: RunModel, began: boolean, now: number) {
      if (began) run.state = "processing";
      else if (run.state !== "ended") end(run, false, now);
    },
    end(run: RunModel, how: "completed" | "failed" | "stopped" | "paused", now: number) {
      if (how === "paused" && !run.stopWanted) run.state = "paused";
      else end(run, how === "completed", now);
    },
    resume(run: RunModel) {
      if (run.state === "paused") run.state = "queued";
    },
    stop(run: RunModel, now: number) {
      if (run.state === "ended") return;
      run.stopWanted = true;
      if (run.state !== "processing") end(run, false, now);
    },
  };
}

export type LicenseModel = ReturnType<typeof licenseModel>;
