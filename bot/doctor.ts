import { refuseOtherKeys } from "../db/keys.ts";
import { fileToCome, migrationsToCome, refuseWithoutSchema } from "../db/look.ts";
import { openDatabase } from "../db/open.ts";
import { UserError } from "../engine/domain/errors.ts";
import { scrub } from "../engine/domain/secret.ts";
import type { Contacts } from "../engine/domain/thread.ts";
import { sealerAtHand } from "../engine/open.ts";
import type { Config } from "./config.ts";
import { logOfProcess } from "./log.ts";
import { openPlatforms } from "./open.ts";
import { checkBoard } from "./queue-board/address.ts";
import { count } from "./wording/figures.ts";
import {
  doctorText,
  evictsText,
  inProcessText,
  keyTexts,
  noDatabaseText,
  queueText,
} from "./wording/verbs.ts";

/**
 * Looks at each part and prints whether it works, and what to do where it does not. True where all of them do. Changes
 * nothing. `read` throws a `UserError` where a variable cannot be used.
 */
export async function examine(read: () => Config, print: (text: string) => void): Promise<boolean> {
  let sound = true;
  const check = async (what: string, look: () => string | Promise<string>) => {
    try {
      print(doctorText(what, true, await look()));
    } catch (error) {
      const reason = error instanceof UserError ? error.message : String(error);
      sound = false;
      print(doctorText(what, false, scrub(reason)));
    }
  };
  let config: Config | null = null;
  await check("configuration", () => {
    config = read();
    return "every variable can be used";
  });
  if (config === null) return false;
  const known: Config = config;
  const { board, host, owners } = known;
  await check("database", () => database(known));
  await check("keys", () => keys(known));
  await check("queue", () => queue(known));
  if (board !== null) await check("board", () => checkBoard(board, host, owners.length));
  await check("chat", () => chat(known));
  return sound;
}

async function database({ databaseUrl }: Config): Promise<string> {
  if (fileToCome(databaseUrl) !== null) return noDatabaseText;
  await using database = await openDatabase(databaseUrl, { toLook: true });
  const missing = await migrationsToCome(database);
  return missing === 0
    ? `${database.kind}, up to date`
    : `${database.kind}, ${count(missing, "migration")} to come with the next start`;
}

async function keys({ databaseUrl, keys }: Config): Promise<string> {
  const coming = fileToCome(databaseUrl);
  await using database = coming === null ? await openDatabase(databaseUrl, { toLook: true }) : null;
  const sealer = await sealerAtHand(keys, database?.file ?? coming);
  if (database !== null) await refuseOtherKeys(database, sealer);
  return sealer === null ? keyTexts.none : keyTexts.open;
}

async function queue({ queueUrl }: Config): Promise<string> {
  if (queueUrl === null) return inProcessText;
  const { stateOfStore } = await import("../engine/queues/store-state.ts");
  const state = await stateOfStore(queueUrl);
  if (state.toCome !== null) await refuseWithoutSchema(queueUrl, state.toCome);
  const evicts = evictsText(state);
  if (evicts !== null) throw new UserError(evicts);
  return queueText(state);
}

/** Who only asks a platform how it stands speaks to nobody. */
const nobodyKnown: Contacts = { keep: async () => {}, of: async () => null };

async function chat(config: Config): Promise<string> {
  if (config.slack === null && config.teams === null) return "the local page and this terminal";
  const platforms = await openPlatforms(
    config,
    nobodyKnown,
    logOfProcess("doctor", config.logLevel),
  );
  return (await Promise.all(platforms.map((platform) => platform.check()))).join("; ");
}
