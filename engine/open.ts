import { dirname, join } from "node:path";
import { knexApprovals } from "../db/approvals.ts";
import { knexAudit } from "../db/audit.ts";
import { available } from "../db/available.ts";
import { knexBoards } from "../db/boards.ts";
import { knexContacts, knexInbox, knexPosts } from "../db/conversations.ts";
import { knexCutovers } from "../db/cutovers.ts";
import { checkKeys, keysOpen, refuseOtherKeys } from "../db/keys.ts";
import { knexLedger } from "../db/ledger.ts";
import { knexLicenses } from "../db/licenses.ts";
import { knexNewsroom } from "../db/news.ts";
import { type Database, migrate, openDatabase } from "../db/open.ts";
import { openOwners, openSeats } from "../db/owners.ts";
import { knexPaces } from "../db/paces.ts";
import { knexPasses } from "../db/passes.ts";
import { knexPeople } from "../db/people.ts";
import { knexPlans } from "../db/plans.ts";
import { knexProjects } from "../db/projects.ts";
import { knexRemigrations } from "../db/remigrations.ts";
import { knexReminders } from "../db/reminders.ts";
import { knexSchedules } from "../db/schedules.ts";
import { knexTranscript } from "../db/transcript.ts";
import { knexVitals } from "../db/vitals.ts";
import { mxDns } from "./dns/mx.ts";
import { resolvers } from "./dns/resolvers.ts";
import { type Clock, wallClock } from "./domain/clock.ts";
import { UserError } from "./domain/errors.ts";
import type { NameServer } from "./domain/name-server.ts";
import type { Seats } from "./domain/owner.ts";
import type { Queue } from "./domain/queue.ts";
import type { Sealer } from "./domain/secret.ts";
import type { Vitals } from "./domain/vitals.ts";
import { makeEmptying } from "./emptying.ts";
import { makeForecaster } from "./forecast.ts";
import { makeInspector } from "./inspect.ts";
import { withKeysAtHand } from "./keys-at-hand.ts";
import { makeLateWatch } from "./late-mail.ts";
import { imapEmptiers } from "./providers/imap/emptier.ts";
import { imapProvider } from "./providers/imap/provider.ts";
import { memorySystem } from "./providers/memory/provider.ts";
import { memoryQueue } from "./queues/memory.ts";
import { aesSealer, type Key, keyFile, keysIn, parseKeys } from "./secrets.ts";
import type { Desk } from "./submit.ts";
import { defaults, type Log, type Settings, type Works } from "./works.ts";

/** How long a person waits for the figures of a plan. */
const forecastMs = 20_000;

/** What of the configuration decides which adapters stand behind the ports. */
export interface OpenConfig {
  databaseUrl: string;
  /** `redis://`, `rediss://` or `postgres://`; null, or none, for the queue within this process. */
  queueUrl?: string | null;
  /** `GODWIT_KEYS`; null to use the key file beside an SQLite database. */
  keys: string | null;
  /** Who is asked for a domain's MX; null, or none of it, for the usual ones. */
  dns?: { resolvers: NameServer[] | null; authoritative: NameServer[] | null };
  settings: Partial<Settings>;
  log: Log;
  clock?: Clock;
  /** Told once, when a key file was made. */
  tell(text: string): void;
}

/** Everything open: what the bot may touch, what an engine needs, and the seats. */
export interface Opened extends AsyncDisposable {
  database: Database;
  desk: Desk;
  works: Works;
  seats: Seats;
  vitals: Vitals;
}

/**
 * Opens the database, brings it up to date and puts the adapters behind the ports.
 * Throws `UserError` where the configuration cannot work, saying what to set.
 */
export async function openGodwit(config: OpenConfig): Promise<Opened> {
  const clock = config.clock ?? wallClock;
  await using stack = new AsyncDisposableStack();
  const database = stack.use(await openDatabase(config.databaseUrl));
  const sealer = await openSealer(config, database);
  // Who cannot start changes nothing, not even the tables.
  await refuseOtherKeys(database, sealer);
  await migrate(database);
  await checkKeys(database, sealer);
  const projects = knexProjects(database, sealer, clock);
  const passes = knexPasses(database, clock);
  const paces = knexPaces(database, clock);
  const queue = stack.use(await openQueue(config));
  const owners = stack.use(openOwners(database));
  const seats = stack.use(openSeats(database));
  const ledger = knexLedger(database, clock);
  const memory = memorySystem();
  const providers = { imap: imapProvider(), memory };
  const emptiers = { imap: imapEmptiers(), memory };
  const looking = { ledger, projects, providers, log: config.log, atOnce: 6 };
  const desk: Desk = {
    projects,
    passes,
    paces,
    licenses: available(knexLicenses(database, clock)),
    plans: available(knexPlans(database)),
    schedules: available(knexSchedules(database)),
    reminders: available(knexReminders(database)),
    forecaster: makeForecaster({ ...looking, within: () => AbortSignal.timeout(forecastMs) }),
    leftover: makeForecaster({ ...looking, within: () => new AbortController().signal }),
    boards: available(knexBoards(database)),
    cutovers: available(knexCutovers(database)),
    late: makeLateWatch(looking),
    inspector: makeInspector({ ...looking, passes }),
    remigrations: available(knexRemigrations(database, sealer, clock)),
    emptying: makeEmptying({ ledger, projects, owners, providers, emptiers }),
    approvals: available(knexApprovals(database)),
    newsroom: available(knexNewsroom(database)),
    audit: available(knexAudit(database, clock)),
    transcript: knexTranscript(database, clock),
    people: available(knexPeople(database, clock)),
    contacts: available(knexContacts(database)),
    posts: available(knexPosts(database)),
    inbox: knexInbox(database, clock),
    dns: mxDns({
      resolvers: config.dns?.resolvers ?? resolvers(),
      authoritative: config.dns?.authoritative ?? null,
      clock,
    }),
    queue,
    vitals: knexVitals(database, clock),
    clock,
  };
  const bare: Works = {
    passes,
    projects,
    ledger,
    paces,
    owners,
    providers,
    clock,
    log: config.log,
    settings: { ...defaults, ...config.settings },
  };
  const keys = available({ current: () => keysOpen(database, sealer) });
  const works = withKeysAtHand(bare, keys.current);
  const open = stack.move();
  const { vitals } = desk;
  return { database, desk, works, seats, vitals, [Symbol.asyncDispose]: () => open.disposeAsync() };
}

/** BullMQ is loaded only where it is used: it is large. */
async function openQueue({ queueUrl, log }: OpenConfig): Promise<Queue> {
  if (queueUrl === undefined || queueUrl === null) return memoryQueue();
  const { bullmqQueue } = await import("./queues/bullmq.ts");
  return bullmqQueue(queueUrl, log);
}

/** The sealer for this database's secrets: from the environment, else the key file beside it. */
export async function openSealer(
  config: Pick<OpenConfig, "keys" | "tell">,
  database: Database,
): Promise<Sealer> {
  const { file } = database;
  if (config.keys !== null || file === null) return aesSealer(keysGiven(config.keys));
  const path = pathOfKeys(file);
  const { keys, made } = await keyFile(path);
  if (made) {
    config.tell(
      `A key that seals passwords was made in ${path}. Keep a copy apart from the database.`,
    );
  }
  return aesSealer(keys);
}

/** As `openSealer`, to look alone; null where the key file is still to be made. `file`: of an SQLite database. */
export async function sealerAtHand(
  given: string | null,
  file: string | null,
): Promise<Sealer | null> {
  if (given !== null || file === null) return aesSealer(keysGiven(given));
  const keys = await keysIn(pathOfKeys(file));
  return keys === null ? null : aesSealer(keys);
}

function pathOfKeys(databaseFile: string): string {
  return join(dirname(databaseFile), "godwit.key");
}

function keysGiven(given: string | null): Key[] {
  if (given !== null) return parseKeys(given);
  throw new UserError(
    "GODWIT_KEYS is not set, and with PostgreSQL it has to be. Type `npm run -s godwit -- keys new` and put what it prints into GODWIT_KEYS, the same for every process.",
  );
}
