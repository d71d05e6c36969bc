import { UserError } from "../engine/domain/errors.ts";
import { type Sealer, Secret } from "../engine/domain/secret.ts";
import type { Database } from "./open.ts";
import { placeOf } from "./places.ts";
import { write } from "./transaction.ts";

const known = "these are the right keys";

/** As `refuseOtherKeys`; a new database remembers the keys it met first. */
export async function checkKeys(database: Database, sealer: Sealer): Promise<void> {
  const { knex } = database;
  const row = await knex("key_checks").first("sealed");
  if (row === undefined) {
    const sealed = sealer.seal(new Secret(known), placeOf.check);
    await knex("key_checks").insert({ id: 1, sealed }).onConflict("id").ignore();
  }
  await refuseOtherKeys(database, sealer);
}

/**
 * Throws `UserError` when the keys at hand are not those of this database; null: there are none yet. Changes nothing;
 * it may have no tables yet.
 */
export async function refuseOtherKeys(database: Database, sealer: Sealer | null): Promise<void> {
  if (!(await database.knex.schema.hasTable("key_checks"))) return;
  if (await keysOpen(database, sealer)) return;
  throw new UserError(
    "These keys do not open this database's secrets. Nothing was started. Put the right key back: into GODWIT_KEYS, or godwit.key back to its place beside the database.",
  );
}

/** Whether these keys open what is sealed now: others may have rotated since this process began. */
export async function keysOpen({ knex }: Database, sealer: Sealer | null): Promise<boolean> {
  const row = await knex("key_checks").first("sealed");
  return row === undefined || (sealer !== null && opens(row.sealed, sealer));
}

/** Seals every secret anew with the active key, all or none, and answers how many there are. */
export function rotateKeys(database: Database, sealer: Sealer): Promise<number> {
  const again = (sealed: string, place: string) => sealer.seal(sealer.open(sealed, place), place);
  return write(database, async (trx) => {
    let count = 0;
    for (const { id, sealed } of await trx("key_checks").forUpdate()) {
      await trx("key_checks")
        .where({ id })
        .update({ sealed: again(sealed, placeOf.check) });
    }
    for (const { id, master_password } of await trx("endpoints").forUpdate()) {
      if (master_password === null) continue;
      await trx("endpoints")
        .where({ id })
        .update({ master_password: again(master_password, placeOf.master(id)) });
      count += 1;
    }
    for (const { id, source_password, target_password } of await trx("entries").forUpdate()) {
      const sealed = {
        ...(source_password !== null && {
          source_password: again(source_password, placeOf.source(id)),
        }),
        ...(target_password !== null && {
          target_password: again(target_password, placeOf.target(id)),
        }),
      };
      const secrets = Object.keys(sealed).length;
      if (secrets === 0) continue;
      await trx("entries").where({ id }).update(sealed);
      count += secrets;
    }
    return count;
  });
}

function opens(sealed: string, sealer: Sealer): boolean {
  try {
    return sealer.open(sealed, placeOf.check).reveal() === known;
  } catch (error) {
    if (error instanceof UserError) return false;
    throw error;
  }
}
