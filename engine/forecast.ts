import { included } from "./domain/decide.ts";
import type { EntryForecast, Forecast, Forecaster, Question } from "./domain/forecast.ts";
import type { Folder } from "./domain/item.ts";
import type { Ledger, LedgerFolder } from "./domain/ledger.ts";
import { type Job, noTries } from "./domain/pass.ts";
import type { Entry, Projects } from "./domain/project.ts";
import type { Address, OpenSource, Provider, Source, Target } from "./domain/provider.ts";
import { decideAll, type Todo } from "./pass/listing.ts";
import { lost } from "./pass/lost.ts";
import { isStill } from "./pass/marks.ts";
import { problemOf } from "./problem.ts";

/** What a forecast is made with. */
export interface ForecastParts {
  ledger: Ledger;
  projects: Pick<Projects, "addresses">;
  providers: Record<Address["endpoint"]["provider"], Provider>;
  log: { error(facts: Record<string, unknown>, text: string): void };
  /** How long may be asked; what is not known by then is left out. */
  within(): AbortSignal;
  /** Mailboxes asked at the same time. */
  atOnce: number;
}

/**
 * Lists what a pass would list and decides as it would, without reading a body and without the entry's lock:
 * nothing is written, and a pass that runs meanwhile is in nobody's way.
 */
export function makeForecaster(parts: ForecastParts): Forecaster {
  return {
    async ask(question) {
      const forecast: Forecast = { entries: [], of: question.entries.length };
      const over = parts.within();
      const waiting = [...question.entries];
      const worker = async () => {
        for (;;) {
          const entry = over.aborted ? undefined : waiting.shift();
          if (entry === undefined) return;
          const one = await ofEntry(entry, question, parts);
          if (!over.aborted) forecast.entries.push(one);
        }
      };
      const workers = Promise.all(Array.from({ length: parts.atOnce }, worker));
      // Whoever hangs is left behind; their connections close by themselves.
      await Promise.race([workers, aborted(over)]);
      const order = new Map(question.entries.map(({ id }, at) => [id, at]));
      const entries = forecast.entries.toSorted(
        (a, b) => (order.get(a.entry) ?? 0) - (order.get(b.entry) ?? 0),
      );
      return { entries, of: forecast.of };
    },
  };
}

async function ofEntry(
  entry: Entry,
  question: Question,
  parts: ForecastParts,
): Promise<EntryForecast> {
  const nothing: EntryForecast = {
    entry: entry.id,
    items: 0,
    bytes: 0,
    duplicates: 0,
    filtered: 0,
    tooLarge: 0,
    moved: 0,
    changed: 0,
    renumbered: 0,
    free: null,
    problem: null,
  };
  try {
    const ends = await parts.projects.addresses(entry.id);
    await using source = await parts.providers[ends.source.endpoint.provider].source(ends.source);
    await using target = await parts.providers[ends.target.endpoint.provider].target(ends.target);
    const forecast = { ...nothing };
    if (question.kind === "repair") await ofRepair(entry, forecast, target, parts);
    else await ofMailbox(entry, question, forecast, source, target, parts);
    forecast.free = (await target.survey()).free;
    return forecast;
  } catch (error) {
    return { ...nothing, problem: problemOf(error, entry.id, parts.log) };
  }
}

async function ofMailbox(
  entry: Entry,
  question: Question,
  forecast: EntryForecast,
  source: Source,
  target: Target,
  { ledger }: ForecastParts,
): Promise<void> {
  const { kind, limit, filters } = question;
  const job: Job = {
    run: 0,
    pass: 0,
    entry: entry.id,
    project: 0,
    kind,
    limit,
    types: ["mail"],
    remigration: null,
    filters,
    tries: noTries,
  };
  const rows = new Map((await ledger.folders(entry.id)).map((row) => [row.source, row]));
  const identities = rows.size === 0 ? null : await ledger.identities(entry.id);
  for (const folder of await source.folders()) {
    const row = rows.get(folder.path) ?? unmet(folder);
    if (!included(folder.segments, filters)) {
      forecast.filtered += kind === "retry" ? 0 : (folder.state?.count ?? 0);
      continue;
    }
    if (kind === "retry" && row.owed === null && !(await ledger.hasFailures(row.id))) continue;
    if (kind !== "retry" && row.mark !== null && isStill(folder, row)) {
      forecast.duplicates += row.mark.listed - row.mark.filtered;
      forecast.filtered += row.mark.filtered;
      add(forecast, "changed", row.mark.changed);
      continue;
    }
    const open = await source.open(folder.path);
    if (row.uidValidity !== null && row.uidValidity !== open.state.uidValidity) {
      forecast.renumbered += open.state.count;
      continue;
    }
    const { counters, todo } = await decideAll(job, { ledger, target }, row, open);
    forecast.items += todo.length;
    forecast.bytes += todo.reduce((total, { size }) => total + size, 0);
    forecast.duplicates += counters.duplicates;
    forecast.filtered += counters.filtered;
    forecast.tooLarge += counters.failed;
    add(forecast, "changed", counters.changed);
    // Without anything carried, nothing can have been moved since.
    if (identities !== null) add(forecast, "moved", await moved(todo, open, identities));
  }
}

/** A folder no pass has met. */
function unmet({ path: source }: Folder): LedgerFolder {
  return { id: 0, source, target: null, mark: null, uidValidity: null, owed: null };
}

/** How many of these were carried before, from another place; null where nobody can tell. */
async function moved(
  todo: Todo[],
  open: OpenSource,
  { known, without }: { known: Set<string>; without: number },
): Promise<number | null> {
  if (todo.length === 0 || (known.size === 0 && without === 0)) return 0;
  const own = await open.identities(todo.map(({ uid }) => uid));
  if (own === null || known.size === 0) return null;
  let count = 0;
  for (const identity of own.values()) if (known.has(identity.toString("base64"))) count += 1;
  return count;
}

async function ofRepair(
  entry: Entry,
  forecast: EntryForecast,
  target: Target,
  { ledger }: ForecastParts,
): Promise<void> {
  for await (const { rows, present } of lost(entry.id, ledger, target)) {
    forecast.items += rows.length;
    forecast.bytes += rows.reduce((total, { size }) => total + size, 0);
    forecast.duplicates += present;
  }
}

function add(forecast: EntryForecast, key: "moved" | "changed", more: number | null): void {
  const before = forecast[key];
  forecast[key] = before === null || more === null ? null : before + more;
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
  });
}
