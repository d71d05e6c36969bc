import type { Ledger } from "./domain/ledger.ts";
import type { Passes } from "./domain/pass.ts";
import type { Entry, Filters, Projects } from "./domain/project.ts";
import type { Address, Provider, Target } from "./domain/provider.ts";
import type { EntryFacts, Inspector } from "./domain/remigration.ts";
import { lost } from "./pass/lost.ts";
import { problemOf } from "./problem.ts";

export interface InspectorParts {
  ledger: Ledger;
  passes: Pick<Passes, "lastFilters">;
  projects: Pick<Projects, "addresses">;
  providers: Record<Address["endpoint"]["provider"], Provider>;
  log: { error(facts: Record<string, unknown>, text: string): void };
  /** Mailboxes looked at at the same time. */
  atOnce: number;
}

/** Looks at mailboxes by the ledger and from the target's side. */
export function makeInspector(parts: InspectorParts): Inspector {
  return {
    async look(asked) {
      const facts: EntryFacts[] = [];
      const waiting = asked.map((one, at) => ({ ...one, at }));
      const worker = async () => {
        for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
          facts[next.at] = await factsOf(next.entry, next.target, parts);
        }
      };
      await Promise.all(Array.from({ length: parts.atOnce }, worker));
      return facts;
    },
  };
}

async function factsOf(
  entry: Entry,
  newTarget: string | null,
  parts: InspectorParts,
): Promise<EntryFacts> {
  const { ledger, passes } = parts;
  const folders = await ledger.folders(entry.id);
  const counts = await Promise.all(
    folders.map(async ({ id, owed }) => ({
      carried: await ledger.carried(id),
      failures: await ledger.failed(id),
      owed: owed !== null,
    })),
  );
  const filters: Filters | null = await passes.lastFilters(entry.id);
  const facts: EntryFacts = {
    entry: entry.id,
    carried: counts.reduce((total, { carried }) => total + carried, 0),
    failures: counts.reduce((total, { failures }) => total + failures, 0),
    owed: counts.some(({ owed }) => owed),
    filters,
    missing: null,
    items: null,
    problem: null,
  };
  try {
    const { target: own } = await parts.projects.addresses(entry.id);
    await using target = await opened(own, parts);
    facts.missing = await missingAt(entry, target, parts);
    if (newTarget === null || newTarget.toLowerCase() === own.mailbox.toLowerCase()) {
      facts.items = (await target.survey()).items;
    } else facts.items = await itemsIn(own, newTarget, parts);
  } catch (error) {
    facts.problem = problemOf(error, entry.id, parts.log);
  }
  return facts;
}

function opened(address: Address, { providers }: InspectorParts): Promise<Target> {
  return providers[address.endpoint.provider].target(address);
}

async function missingAt(
  entry: Entry,
  target: Target,
  { ledger }: InspectorParts,
): Promise<number | null> {
  if (!target.tellsUids) return null;
  let missing = 0;
  for await (const { rows } of lost(entry.id, ledger, target)) missing += rows.length;
  return missing;
}

/** Of another mailbox at the same system; one that has a password of its own is not known yet. */
async function itemsIn(
  own: Address,
  mailbox: string,
  parts: InspectorParts,
): Promise<number | null> {
  if (own.endpoint.login !== "master") return null;
  await using target = await opened({ ...own, mailbox, user: null }, parts);
  return (await target.survey()).items;
}
