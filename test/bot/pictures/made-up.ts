import type { Outlook } from "../../../bot/pictures/outlook.ts";
import { noCounters, sum } from "../../../engine/domain/counters.ts";
import type { Balance, Movement } from "../../../engine/domain/license.ts";
import type {
  PassKind,
  PassSnapshot,
  PassState,
  PassSums,
  RunSnapshot,
} from "../../../engine/domain/pass.ts";
import { policyFrom } from "../../../engine/domain/policy.ts";
import { hostile } from "../../doubles/hostile.ts";

const hour = 3_600_000;
const start = Date.UTC(2026, 9, 20, 16);

/** A project as the pictures see it. */
export interface MadeUp {
  project: { name: string; zone: string };
  entries: { id: number; source: string }[];
  passes: PassSnapshot[];
  sums: PassSums[];
  balance: Balance;
  history: Movement[];
  outlook: Outlook;
  now: number;
}

const first = [
  "anna",
  "bruno",
  "chloe",
  "dora",
  "emil",
  "fatima",
  "goran",
  "hanna",
  "igor",
  "jana",
];
const last = ["weiss", "novak", "silva", "okafor", "lindqvist", "tanaka", "moreau", "petrov"];

/** A month of a project with so many mailboxes and passes; the last pass runs still. Always the same. */
export function bigProject(size: number, passes: number): MadeUp {
  const entries = Array.from({ length: size }, (_, n) => ({
    id: n + 1,
    source: `${first[n % 10]}.${last[Math.floor(n / 10) % 8]}${n < 80 ? "" : n}@old.example`,
  }));
  return madeUp("acme", entries, passes);
}

/** Mailboxes with the names nobody wants. */
export function hostileProject(): MadeUp {
  const names = [
    ...hostile,
    "א".repeat(80),
    "مرحبا بالعالم".repeat(9),
    "W".repeat(200),
    "🛫".repeat(90),
  ];
  return madeUp(
    `<b>&"acme'</b> ${"long ".repeat(50)}`,
    names.map((source, n) => ({ id: n + 1, source })),
    3,
  );
}

function madeUp(name: string, entries: MadeUp["entries"], count: number): MadeUp {
  const kinds: PassKind[] = ["trial", "prestage", "prestage", "delta", "retry"];
  const project = { name, zone: "Europe/Berlin" };
  const passes = Array.from({ length: count }, (_, p) => {
    const at = start + p * 61 * hour;
    const over = p < count - 1 || count === 1;
    const runs = entries
      .filter(({ id }) => (p === 0 ? id % 9 < 2 : p % 5 === 4 ? id % 7 === 0 : id % 41 !== 5))
      .map(({ id, source }) => runOf(id, source, p, over));
    const pass: PassSnapshot = {
      id: p + 1,
      project: { id: 1, ...project },
      kind: p < 5 ? kinds[p]! : "delta",
      state: over ? "completed" : "processing",
      limit: null,
      startedBy: "local:owner",
      thread: "local:main",
      createdAt: at,
      startedAt: at,
      endedAt: over ? at + (p < 3 ? 30 : 3) * hour : null,
      counters: sum(runs.map(({ counters }) => counters)),
      expected: null,
      policy: policyFrom({}),
      runs,
      licenses: { owned: 0, reserved: 0, consumed: 0, free: 0 },
    };
    return pass;
  });
  const now = start + (count - 1) * 61 * hour + (count === 1 ? 40 : 2) * hour;
  const owned = entries.length + 20;
  const consumed = Math.ceil(entries.length * 0.8);
  const reserved = Math.floor(entries.length * 0.1);
  const history: Movement[] = [];
  for (let n = consumed - 1; n >= 0; n -= 1) {
    const at = start + (n / consumed) ** 2 * (now - start) * 0.6;
    history.push({ ...nobody, at, kind: "consume", count: 1 });
  }
  history.push({ ...nobody, at: start - 48 * hour, kind: "grant", count: owned });
  return {
    project,
    entries,
    passes,
    sums: passes.map(({ id, kind, state, startedAt, endedAt, counters }) => ({
      ...{ id, kind, state, startedAt, endedAt },
      ...{ migrated: counters.migrated, bytes: counters.bytes },
    })),
    balance: { owned, reserved, consumed, free: owned - reserved - consumed },
    history,
    outlook: {
      type: "left",
      items: entries.length * 412,
      bytes: entries.length * 3e7,
      doneAt: now + 50 * hour,
    },
    now,
  };
}

const nobody = { by: "local:owner", entry: null, pass: null, note: null };

function runOf(id: number, source: string, pass: number, over: boolean): RunSnapshot {
  const turn = (id * 7 + pass * 13) % 40;
  const listed = 300 + ((id * 7919) % 23_000);
  const part = pass === 0 ? 0.002 : pass < 3 ? 0.6 / pass : ((id + pass) % 5) / 60;
  const migrated = Math.round(listed * part);
  const bad = over && turn === 3 ? 12 : 0;
  const state: PassState = !over
    ? id % 3 === 0
      ? "completed"
      : id % 3 === 1
        ? "processing"
        : "queued"
    : turn === 7 && pass > 2
      ? "failed"
      : turn === 11
        ? "stopped"
        : bad > 0
          ? "completed_with_errors"
          : "completed";
  const seen =
    state === "processing"
      ? Math.round(listed * ((id % 10) / 10))
      : state === "queued"
        ? 0
        : listed;
  const carried = Math.min(seen, state === "failed" ? 0 : migrated);
  return {
    id: id * 100 + pass,
    entry: id,
    source,
    target: source.replace("old", "new"),
    state,
    reason: null,
    waiting: null,
    after: null,
    counters: {
      ...noCounters(),
      listed: seen,
      migrated: carried,
      duplicates: Math.max(0, seen - carried - bad),
      failed: bad,
      bytes: carried * 74_000,
    },
    expected: listed,
    passesUsed: pass,
    license: "consumed",
    survey: null,
  };
}
