import { approvalsContract } from "../contracts/approvals.ts";
import { boardsContract } from "../contracts/boards.ts";
import { conversationsContract } from "../contracts/conversations.ts";
import { cutoversContract } from "../contracts/cutovers.ts";
import { ledgerContract } from "../contracts/ledger.ts";
import { licensesContract } from "../contracts/licenses.ts";
import { newsroomContract } from "../contracts/newsroom.ts";
import { ownersContract } from "../contracts/owners.ts";
import { pacesContract } from "../contracts/paces.ts";
import { passesContract } from "../contracts/passes.ts";
import { projectsContract } from "../contracts/projects.ts";
import { remigrationsContract } from "../contracts/remigrations.ts";
import { remindersContract } from "../contracts/reminders.ts";
import { schedulesContract } from "../contracts/schedules.ts";
import { vitalsContract } from "../contracts/vitals.ts";
import { openBooks } from "./books.ts";
import { deathContract } from "./death.ts";

/** What every database must do: keep all the books, and let go of what a killed process owned. */
export function databaseContract(fresh: () => Promise<string>): void {
  const open = async () => openBooks(await fresh());

  projectsContract(open);
  passesContract(open);
  pacesContract(open);
  ledgerContract(open);
  licensesContract(open);
  newsroomContract(open);
  vitalsContract(open);
  conversationsContract(open);
  approvalsContract(open);
  remigrationsContract(open);
  schedulesContract(open);
  remindersContract(open);
  cutoversContract(open);
  boardsContract(open);
  ownersContract(open);
  deathContract(fresh);
}
