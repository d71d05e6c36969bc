import { createHash } from "node:crypto";
import type { Clock } from "../engine/domain/clock.ts";
import type { Contacts, Inbox, Posts } from "../engine/domain/thread.ts";
import { available } from "./available.ts";
import type { Database } from "./open.ts";

/** How conversations are reached again, in the database. */
export function knexContacts({ knex }: Database): Contacts {
  return {
    async keep(place, how) {
      const known = await knex("contacts").where({ place }).first("how");
      if (known?.how === how) return;
      await knex("contacts").insert({ place, how }).onConflict("place").merge(["how"]);
    },
    async of(place) {
      const row = await knex("contacts").where({ place }).first("how");
      return row?.how ?? null;
    },
  };
}

/** Where messages with a key stand, in the database. */
export function knexPosts({ knex }: Database): Posts {
  return {
    async note(key, thread) {
      await knex("posts").insert({ key, thread }).onConflict("key").merge(["thread"]);
    },
    async thread(key) {
      const row = await knex("posts").where({ key }).first("thread");
      return row?.thread ?? null;
    },
  };
}

const week = 7 * 24 * 60 * 60 * 1000;

/** The events that were handled, in the database; of several processes that ask at once, one is first. */
export function knexInbox({ knex }: Database, clock: Clock): Inbox {
  return available({
    async first(id) {
      const at = clock.now();
      const event = createHash("sha256").update(id).digest("hex");
      await knex("inbox")
        .where("at", "<", at - week)
        .delete();
      const made = await knex("inbox")
        .insert({ event, at })
        .onConflict("event")
        .ignore()
        .returning("event");
      return made.length > 0;
    },
  });
}
