import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { knexApprovals } from "../../db/approvals.ts";
import { knexAudit } from "../../db/audit.ts";
import { knexBoards } from "../../db/boards.ts";
import { knexContacts, knexInbox, knexPosts } from "../../db/conversations.ts";
import { knexCutovers } from "../../db/cutovers.ts";
import { knexLedger } from "../../db/ledger.ts";
import { knexLicenses } from "../../db/licenses.ts";
import { knexNewsroom } from "../../db/news.ts";
import { type Database, migrate, openDatabase } from "../../db/open.ts";
import { openOwners, openSeats } from "../../db/owners.ts";
import { knexPaces } from "../../db/paces.ts";
import { knexPasses } from "../../db/passes.ts";
import { knexPeople } from "../../db/people.ts";
import { knexPlans } from "../../db/plans.ts";
import { knexProjects } from "../../db/projects.ts";
import { knexRemigrations } from "../../db/remigrations.ts";
import { knexReminders } from "../../db/reminders.ts";
import { knexSchedules } from "../../db/schedules.ts";
import { knexTranscript } from "../../db/transcript.ts";
import { knexVitals } from "../../db/vitals.ts";
import { aesSealer, parseKeys } from "../../engine/secrets.ts";
import type { Books } from "../contracts/books.ts";

/** A key for tests: 32 bytes that everybody can read here. */
export const testKeys = parseKeys(`test:${Buffer.alloc(32, 7).toString("base64")}`);

/** Books on the database of this URL, brought up to date. */
export async function openBooks(
  url: string,
  clock = standingClock(Date.UTC(2026, 10, 20, 12)),
  options: { allowUnsafe?: boolean } = {},
): Promise<Books & { database: Database }> {
  await using stack = new AsyncDisposableStack();
  const database = stack.use(await openDatabase(url, options));
  await migrate(database);
  const sealer = aesSealer(testKeys);
  const owners = stack.use(openOwners(database));
  const seats = stack.use(openSeats(database));
  const open = stack.move();
  return {
    database,
    projects: knexProjects(database, sealer, clock),
    licenses: knexLicenses(database, clock),
    passes: knexPasses(database, clock),
    paces: knexPaces(database, clock),
    ledger: knexLedger(database, clock),
    newsroom: knexNewsroom(database),
    audit: knexAudit(database, clock),
    plans: knexPlans(database),
    boards: knexBoards(database),
    schedules: knexSchedules(database),
    reminders: knexReminders(database),
    cutovers: knexCutovers(database),
    remigrations: knexRemigrations(database, sealer, clock),
    approvals: knexApprovals(database),
    transcript: knexTranscript(database, clock),
    people: knexPeople(database, clock),
    contacts: knexContacts(database),
    posts: knexPosts(database),
    inbox: knexInbox(database, clock),
    vitals: knexVitals(database, clock),
    owners,
    seats,
    clock,
    again: () => openBooks(url, clock, options),
    [Symbol.asyncDispose]: () => open.disposeAsync(),
  };
}

/** A clock that stands still until it is set; sleeping moves it. */
function standingClock(start: number): Books["clock"] {
  let now = start;
  return {
    now: () => now,
    set: (to) => {
      now = to;
    },
    sleep: async (ms) => {
      now += Math.max(0, ms);
    },
  };
}

/** A folder for SQLite databases; disposing removes it. */
export async function sqliteFolder(): Promise<{ fresh(): string } & AsyncDisposable> {
  const folder = await mkdtemp(join(tmpdir(), "godwit-db-"));
  let count = 0;
  return {
    fresh() {
      count += 1;
      return `sqlite:${join(folder, `godwit-${count}.db`)}`;
    },
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }),
  };
}
