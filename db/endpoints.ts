import type { Knex } from "knex";
import { UserError } from "../engine/domain/errors.ts";
import type { Projects } from "../engine/domain/project.ts";
import type { Endpoint } from "../engine/domain/provider.ts";
import type { Sealer } from "../engine/domain/secret.ts";
import type { Database } from "./open.ts";
import { placeOf } from "./places.ts";
import type { EndpointRow } from "./tables.ts";
import { write } from "./transaction.ts";

type Endpoints = Pick<Projects, "addEndpoint" | "endpoints" | "endpoint" | "setMasterPassword">;

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
