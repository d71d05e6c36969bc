import { Counter, collectDefaultMetrics, Gauge, Registry } from "prom-client";
import type { Clock } from "../engine/domain/clock.ts";
import type { Waiting } from "../engine/domain/errors.ts";
import { type PassState, passKinds } from "../engine/domain/pass.ts";
import type { Figures, Outcomes } from "../engine/domain/vitals.ts";
import { figureHelp } from "./wording/health.ts";

/** What a process tells of itself, beside the database's figures. */
export interface Own {
  version: string;
  /** How many runs it carries at this moment. */
  carrying(): number;
  queueServes(): boolean;
}

/** Figures in the text Prometheus reads. */
export interface Metrics {
  contentType: string;
  /** Null where the database did not answer: its figures are left out then, never told as nought. */
  text(figures: Figures | null): Promise<string>;
}

// Every label there may be is told, so that an alert finds its figure before the first of it.
const states = Object.keys({
  queued: true,
  processing: true,
  paused: true,
  completed: true,
  completed_with_errors: true,
  failed: true,
  stopped: true,
} satisfies Record<PassState, true>);

const reasons = Object.keys({
  connection: true,
  throttled: true,
  "connection limit": true,
  "server unavailable": true,
  doubt: true,
  owner: true,
  window: true,
} satisfies Record<Waiting, true>);

const outcomes: [keyof Outcomes, label: string][] = [
  ["migrated", "migrated"],
  ["duplicates", "duplicates"],
  ["filtered", "filtered"],
  ["failed", "failed"],
  ["vanished", "vanished"],
  ["notCarried", "not_carried"],
];

/** The words of Prometheus for one process. */
export function prometheusMetrics(own: Own, clock: Clock): Metrics {
  const process = new Registry();
  collectDefaultMetrics({ register: process, prefix: "godwit_" });
  const climbing = neverBack();
  return {
    contentType: process.contentType,
    async text(figures) {
      const told = new Registry();
      tellOwn(told, own, figures !== null);
      if (figures !== null) tellFigures(told, figures, climbing, clock.now());
      return `${await told.metrics()}\n${await process.metrics()}`;
    },
  };
}

function tellOwn(to: Registry, { version, carrying, queueServes }: Own, database: boolean): void {
  gauge(to, "godwit_build_info", "version").set({ version }, 1);
  gauge(to, "godwit_database_up").set(database ? 1 : 0);
  gauge(to, "godwit_queue_up").set(queueServes() ? 1 : 0);
  gauge(to, "godwit_runs_active").set(carrying());
}

function tellFigures(to: Registry, figures: Figures, climbing: Climbing, now: number): void {
  const passes = gauge(to, "godwit_passes", "kind", "state");
  for (const kind of passKinds) {
    for (const state of states) {
      const found = figures.passes.find((one) => one.kind === kind && one.state === state);
      passes.set({ kind, state }, found?.count ?? 0);
    }
  }
  gauge(to, "godwit_runs_waiting").set(figures.waiting);
  gauge(to, "godwit_runs_begun").set(figures.begun);
  const waits = gauge(to, "godwit_waits", "reason");
  for (const reason of reasons) {
    const found = figures.waits.find((one) => one.reason === reason);
    waits.set({ reason: reason.replaceAll(" ", "_") }, found?.count ?? 0);
  }
  const items = counter(to, "godwit_items_total", "outcome");
  for (const [key, outcome] of outcomes) {
    items.inc({ outcome }, climbing(outcome, figures.items[key]));
  }
  counter(to, "godwit_bytes_total").inc(climbing("bytes", figures.bytes));
  const licenses = gauge(to, "godwit_licenses", "state");
  for (const [state, count] of Object.entries(figures.licenses)) licenses.set({ state }, count);
  const { undelivered, oldestAt } = figures.news;
  gauge(to, "godwit_news_undelivered").set(undelivered);
  const age = oldestAt === null ? 0 : Math.max(0, now - oldestAt) / 1000;
  gauge(to, "godwit_news_oldest_seconds").set(age);
}

type Name = keyof typeof figureHelp;

function gauge<Label extends string>(to: Registry, name: Name, ...labelNames: Label[]) {
  return new Gauge({ name, help: figureHelp[name], labelNames, registers: [to] });
}

function counter<Label extends string>(to: Registry, name: Name, ...labelNames: Label[]) {
  return new Counter({ name, help: figureHelp[name], labelNames, registers: [to] });
}

type Climbing = (name: string, value: number) => number;

/**
 * A run that is taken up again lists its folders anew, and the sums go back a little until it is where it was. To
 * Prometheus a counter that goes back began at nought, and all of it would count again.
 */
function neverBack(): Climbing {
  const most = new Map<string, number>();
  return (name, value) => {
    const told = Math.max(value, most.get(name) ?? 0);
    most.set(name, told);
    return told;
  };
}
