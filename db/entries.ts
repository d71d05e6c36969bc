import type { Knex } from "knex";
import type { Instant } from "../engine/domain/clock.ts";
import { firstOf, UserError } from "../engine/domain/errors.ts";
import { ended, type PassState } from "../engine/domain/pass.ts";
import type { Entry, NewEntry, ProjectId, Projects } from "../engine/domain/project.ts";
import type { Address, Endpoint } from "../engine/domain/provider.ts";
import type { Sealer } from "../engine/domain/secret.ts";
import { endpointOf, keyOf } from "./endpoints.ts";
import type { Database } from "./open.ts";
import { placeOf } from "./places.ts";
import type { EndpointRow, EntryRow } from "./tables.ts";
import { write } from "./transaction.ts";

type Entries = Pick<
  Projects,
  "add" | "setLogins" | "entries" | "closedEntries" | "entry" | "addresses"
>;

/** The entries of projects in the database. */
export function knexEntries(database: Database, sealer: Sealer): Entries {
  const { knex } = database;
  const entries = async (where: { id: number } | { project_id: number }) => {
    const rows = await entryRows(knex, where);
    return rows.map(entryOf);
  };
  const ofProject = async (project: ProjectId, closed: boolean) => {
    const all = await entries({ project_id: project });
    return all.filter(({ closedAt }) => (closedAt !== null) === closed);
  };

  return {
    async add(project, added) {
      const keys = added.map((entry) => keyOf(entry.source));
      await write(database, (trx) => add(trx, project, added, sealer));
      const all = await ofProject(project, false);
      const bySource = new Map(all.map((entry) => [keyOf(entry.source), entry]));
      return keys.map((key) => bySource.get(key)!);
    },

    setLogins: (logins) =>
      write(database, async (trx) => {
        for (const { entry, sourceUser, targetUser, ...login } of logins) {
          const passwords = sealed(entry, login, sealer);
          const change = {
            ...(sourceUser !== null && { source_user: sourceUser }),
            ...(targetUser !== null && { target_user: targetUser }),
            ...passwords,
          };
          if (Object.keys(change).length === 0) continue;
          await trx("entries").where({ id: entry }).update(change);
        }
      }),

    entries: (project) => ofProject(project, false),
    closedEntries: (project) => ofProject(project, true),

    async entry(id) {
      const [entry] = await entries({ id });
      if (entry === undefined) throw new Error(`There is no entry with the id ${id}.`);
      return entry;
    },

    async addresses(id) {
      const row = await knex("entries").where({ id }).first();
      if (row === undefined) throw new Error(`There is no entry with the id ${id}.`);
      const project = await knex("projects").where({ id: row.project_id }).first();
      const endpoints = await knex("endpoints").whereIn("id", [
        project!.source_endpoint_id,
        project!.target_endpoint_id,
      ]);
      const end = (endpoint: number) => endpoints.find((one) => one.id === endpoint)!;
      return {
        source: addressOf(row, "source", end(project!.source_endpoint_id), sealer),
        target: addressOf(row, "target", end(project!.target_endpoint_id), sealer),
      };
    },
  };
}

async function add(
  trx: Knex.Transaction,
  project: ProjectId,
  added: NewEntry[],
  sealer: Sealer,
): Promise<void> {
  // Two that add at once take turns here.
  await trx("projects").where({ id: project }).forNoKeyUpdate().first("id");
  const there = await trx("entries")
    .where({ project_id: project, closed_at: null })
    .select("source_key", "target_key");
  refuseTwice(there, added);
  for (let start = 0; start < added.length; start += 50) {
    const rows = added.slice(start, start + 50).map((entry) => newRow(project, entry));
    await trx("entries").insert(rows);
  }
  const secret = added.filter((one) => one.sourcePassword !== null || one.targetPassword !== null);
  for (const { source, ...passwords } of secret) {
    // Sealed for their own places, and those have the id in them.
    const own = { project_id: project, source_key: keyOf(source), closed_at: null };
    const { id } = (await trx("entries").where(own).first("id"))!;
    await trx("entries")
      .where({ id })
      .update(sealed(id, passwords, sealer));
  }
}

/** The passwords that are given, each sealed for its own place. */
function sealed(
  id: number,
  { sourcePassword, targetPassword }: Pick<NewEntry, "sourcePassword" | "targetPassword">,
  sealer: Sealer,
): Partial<Pick<EntryRow, "source_password" | "target_password">> {
  return {
    ...(sourcePassword && { source_password: sealer.seal(sourcePassword, placeOf.source(id)) }),
    ...(targetPassword && { target_password: sealer.seal(targetPassword, placeOf.target(id)) }),
  };
}

function refuseTwice(
  there: Pick<EntryRow, "source_key" | "target_key">[],
  added: NewEntry[],
): void {
  const sources = new Set(there.map((row) => row.source_key));
  const targets = new Set(there.map((row) => row.target_key));
  const twice: string[] = [];
  for (const { source, target } of added) {
    const [from, to] = [keyOf(source), keyOf(target)];
    if (sources.has(from)) twice.push(`${source} is there already as a source`);
    if (targets.has(to)) twice.push(`${target} is there already as a target`);
    sources.add(from);
    targets.add(to);
  }
  if (twice.length === 0) return;
  throw new UserError(
    `A mailbox can be in a project once. Nothing was added: ${firstOf(twice, "; ")}. Type \`list\` to see what is there.`,
  );
}

function newRow(project: ProjectId, entry: NewEntry): Omit<EntryRow, "id"> {
  return {
    project_id: project,
    source: entry.source,
    source_key: keyOf(entry.source),
    target: entry.target,
    target_key: keyOf(entry.target),
    workload: "mailbox",
    source_user: entry.sourceUser,
    source_password: null,
    target_user: entry.targetUser,
    target_password: null,
    passes_used: 0,
    trial_used: false,
    license: "none",
    first_success_at: null,
    closed_at: null,
    remigration_id: null,
    succeeds: null,
  };
}

interface FullEntry extends EntryRow {
  source_name: string;
  source_login: Endpoint["login"];
  source_master: string | null;
  target_name: string;
  target_login: Endpoint["login"];
  target_master: string | null;
  released_at: Instant | null;
  last_state: PassState | null;
  last_pass: number | null;
}

async function entryRows(
  knex: Knex,
  where: { id: number } | { project_id: number },
): Promise<FullEntry[]> {
  const [column] = Object.keys(where);
  const [value] = Object.values(where);
  const latest = knex("runs").max("runs.id as id").select("runs.entry_id").groupBy("runs.entry_id");
  // Of these entries alone: the runs of all projects are many more.
  if ("id" in where) latest.where("runs.entry_id", where.id);
  else {
    const { project_id } = where;
    latest.join("passes", "passes.id", "runs.pass_id").where("passes.project_id", project_id);
  }
  return knex("entries")
    .join("projects", "projects.id", "entries.project_id")
    .join("endpoints as s", "s.id", "projects.source_endpoint_id")
    .join("endpoints as t", "t.id", "projects.target_endpoint_id")
    .leftJoin(latest.as("latest"), "latest.entry_id", "entries.id")
    .leftJoin("runs", "runs.id", "latest.id")
    .leftJoin("remigrations", "remigrations.n", "entries.remigration_id")
    .where(`entries.${column}`, value)
    .orderBy("entries.id")
    .select<FullEntry[]>(
      "entries.*",
      "s.name as source_name",
      "s.login as source_login",
      "s.master_password as source_master",
      "t.name as target_name",
      "t.login as target_login",
      "t.master_password as target_master",
      "remigrations.released_at",
      "runs.state as last_state",
      "runs.pass_id as last_pass",
    );
}

function entryOf(row: FullEntry): Entry {
  const last = row.last_state;
  return {
    id: row.id,
    project: row.project_id,
    source: row.source,
    target: row.target,
    workload: row.workload,
    passesUsed: row.passes_used,
    trialUsed: Boolean(row.trial_used),
    license: row.license,
    firstSuccessAt: row.first_success_at,
    notReady:
      missing(
        "source",
        row.source_login,
        row.source_name,
        row.source_master,
        row.source_password,
      ) ??
      missing("target", row.target_login, row.target_name, row.target_master, row.target_password),
    busyWith: last === null || ended(last) ? null : row.last_pass,
    lastState: last,
    closedAt: row.closed_at,
    remigration: row.remigration_id,
    unchecked: row.remigration_id !== null && row.released_at === null,
    succeeds: row.succeeds,
  };
}

/** Which password is missing to log in there, in words; null when none is. */
function missing(
  side: "source" | "target",
  login: Endpoint["login"],
  endpoint: string,
  master: string | null,
  own: string | null,
): string | null {
  if (login === "master") {
    if (master !== null) return null;
    return `the endpoint ${endpoint} has no password; type \`endpoint secret ${endpoint}\``;
  }
  if (own !== null) return null;
  const system = side === "source" ? "old" : "new";
  return `has no password for the ${system} system; import it with ${side}_password_env`;
}

function addressOf(
  row: EntryRow,
  side: "source" | "target",
  endpoint: EndpointRow,
  sealer: Sealer,
): Address {
  const own = row[`${side}_password`];
  const mailbox = row[side];
  const reason = missing(side, endpoint.login, endpoint.name, endpoint.master_password, own);
  if (reason !== null) throw new UserError(`${mailbox}: ${reason}.`);
  const { login } = endpoint;
  return {
    endpoint: endpointOf(endpoint, sealer),
    mailbox,
    // Where a name of its own was not given, the address is the name.
    user: row[`${side}_user`] ?? (login === "master" ? null : mailbox),
    password: login === "master" || own === null ? null : sealer.open(own, placeOf[side](row.id)),
  };
}
