import type { Knex } from "knex";
import { UserError } from "../engine/domain/errors.ts";
import type { ChangedEndpoint, EndpointChange, Projects } from "../engine/domain/project.ts";
import type { Endpoint } from "../engine/domain/provider.ts";
import type { Sealer } from "../engine/domain/secret.ts";
import type { Database } from "./open.ts";
import { placeOf } from "./places.ts";
import { activeStates, type EndpointRow } from "./tables.ts";
import { write } from "./transaction.ts";

type Endpoints = Pick<
  Projects,
  "addEndpoint" | "endpoints" | "endpoint" | "setMasterPassword" | "changeEndpoint"
>;

/** The endpoints in the database. */
export function knexEndpoints(database: Database, sealer: Sealer): Endpoints {
  const { knex } = database;
  return {
    addEndpoint: (endpoint) => write(database, (trx) => addEndpoint(trx, endpoint, sealer)),

    async endpoints() {
      const rows = await knex("endpoints").orderBy("id");
      return rows.map((row) => endpointOf(row, sealer));
    },

    async endpoint(name) {
      const row = await knex("endpoints")
        .where({ name_key: keyOf(name) })
        .first();
      return row === undefined ? null : endpointOf(row, sealer);
    },

    async setMasterPassword(id, password) {
      const changed = await knex("endpoints")
        .where({ id })
        .update({ master_password: sealer.seal(password, placeOf.master(id)) });
      if (changed === 0) throw new Error(`There is no endpoint with the id ${id}.`);
    },

    changeEndpoint: (id, change) =>
      write(database, async (trx) => {
        const was = endpointOf(await heldStill(trx, id), sealer);
        const wanted = change(was, await ownPasswords(trx, id));
        const columns = columnsOf(wanted);
        if (Object.keys(columns).length > 0) await trx("endpoints").where({ id }).update(columns);
        const changed: ChangedEndpoint = {
          was,
          is: { ...was, ...wanted },
          carried: await hasCarried(trx, id),
        };
        return changed;
      }),
  };
}

/** An endpoint as its row has it, the master's password opened. */
export function endpointOf(row: EndpointRow, sealer: Sealer): Endpoint {
  return {
    id: row.id,
    name: row.name,
    provider: row.provider,
    host: row.host,
    port: row.port,
    security: row.security,
    login: row.login,
    masterUser: row.master_user,
    masterFormat: row.master_format,
    masterPassword:
      row.master_password === null
        ? null
        : sealer.open(row.master_password, placeOf.master(row.id)),
    ca: row.ca,
    fingerprint: row.fingerprint,
    inward: Boolean(row.inward),
  };
}

/** Names are told apart without regard to case. */
export function keyOf(name: string): string {
  return name.normalize("NFC").toLowerCase();
}

async function addEndpoint(
  trx: Knex.Transaction,
  endpoint: Omit<Endpoint, "id">,
  sealer: Sealer,
): Promise<Endpoint> {
  const name_key = keyOf(endpoint.name);
  if ((await trx("endpoints").where({ name_key }).first("id")) !== undefined) {
    throw new UserError(
      `There is an endpoint ${endpoint.name} already. Nothing was made. Choose another name, or type \`endpoint list\` to see them.`,
    );
  }
  const [made] = await trx("endpoints").insert(
    {
      name: endpoint.name,
      name_key,
      provider: endpoint.provider,
      host: endpoint.host,
      port: endpoint.port,
      security: endpoint.security,
      login: endpoint.login,
      master_user: endpoint.masterUser,
      master_format: endpoint.masterFormat,
      ca: endpoint.ca,
      fingerprint: endpoint.fingerprint,
      inward: endpoint.inward,
    },
    "id",
  );
  const { id } = made!;
  if (endpoint.masterPassword !== null) {
    // Sealed for its own place, and that has the id in it.
    const sealed = sealer.seal(endpoint.masterPassword, placeOf.master(id));
    await trx("endpoints").where({ id }).update({ master_password: sealed });
  }
  return { ...endpoint, id };
}

/**
 * The endpoint's row, with nothing of its projects under way, submitted or resumed until the transaction ends.
 * Passes, their projects, then endpoints: everybody takes them in this order.
 */
async function heldStill(trx: Knex.Transaction, id: number): Promise<EndpointRow> {
  const projects = projectsOf(trx, id).select("id");
  await trx("passes")
    .whereIn("project_id", projects)
    .whereIn("state", activeStates)
    .orderBy("id")
    .forNoKeyUpdate()
    .select("id");
  await projectsOf(trx, id).orderBy("id").forNoKeyUpdate().select("id");
  const row = await trx("endpoints").where({ id }).forNoKeyUpdate().first();
  if (row === undefined) throw new Error(`There is no endpoint with the id ${id}.`);
  await refuseUnderWay(trx, id);
  return row;
}

async function refuseUnderWay(trx: Knex.Transaction, id: number): Promise<void> {
  const [first, ...others] = await trx("passes")
    .join("projects", "projects.id", "passes.project_id")
    .whereIn("passes.project_id", projectsOf(trx, id).select("id"))
    .whereIn("passes.state", ["queued", "processing"])
    .orderBy("passes.id")
    .select<{ pass: number; project: string }[]>("passes.id as pass", "projects.name as project");
  if (first === undefined) return;
  const { pass, project } = first;
  const more = others.length === 0 ? "" : `, and ${others.length} more`;
  throw new UserError(
    `Pass ${pass} of ${project} is under way${more}; nothing was changed. Type \`pause ${pass} --project ${project}\` first, this again once it is paused, then \`resume ${pass} --project ${project}\`.`,
  );
}

/** How many mailboxes have a password of their own sealed for it. */
async function ownPasswords(trx: Knex.Transaction, id: number): Promise<number> {
  const row = await trx("entries")
    .join("projects", "projects.id", "entries.project_id")
    .where((end) =>
      end.where("projects.source_endpoint_id", id).whereNotNull("entries.source_password"),
    )
    .orWhere((end) =>
      end.where("projects.target_endpoint_id", id).whereNotNull("entries.target_password"),
    )
    .count<{ n: number | string }[]>({ n: "entries.id" })
    .first();
  return Number(row?.n ?? 0);
}

async function hasCarried(trx: Knex.Transaction, id: number): Promise<boolean> {
  const run = await trx("runs")
    .join("passes", "passes.id", "runs.pass_id")
    .whereIn("passes.project_id", projectsOf(trx, id).select("id"))
    .where("runs.wrote", true)
    .first("runs.id");
  return run !== undefined;
}

function projectsOf(trx: Knex.Transaction, id: number) {
  return trx("projects").where((end) =>
    end.where({ source_endpoint_id: id }).orWhere({ target_endpoint_id: id }),
  );
}

function columnsOf(change: EndpointChange): Partial<EndpointRow> {
  const { masterUser, masterFormat, masterPassword, ...same } = change;
  return {
    ...same,
    ...(masterUser !== undefined && { master_user: masterUser }),
    ...(masterFormat !== undefined && { master_format: masterFormat }),
    ...(masterPassword !== undefined && { master_password: masterPassword }),
  };
}
