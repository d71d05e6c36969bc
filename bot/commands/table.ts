import type { Command } from "../command.ts";
import { add } from "./add.ts";
import { approve, deny } from "./approve.ts";
import { audit } from "./audit.ts";
import { board, boardAssign, boardRemove, boardTick, boardUntick } from "./board.ts";
import { channel } from "./channel.ts";
import { pause, resume, stop } from "./control.ts";
import { cutoverCancel, cutoverStatus, cutoverSweep } from "./cutover.ts";
import { cutoverDone, cutoverWatch } from "./cutover-watch.ts";
import { endpointList, endpointNew } from "./endpoint.ts";
import { endpointPace } from "./endpoint-pace.ts";
import { endpointSecret } from "./endpoint-secret.ts";
import { endpointSet } from "./endpoint-set.ts";
import { feedback } from "./feedback.ts";
import { help } from "./help.ts";
import { importCsv } from "./import.ts";
import { licenses, licensesAdd, licensesHistory, licensesReport } from "./licenses.ts";
import { link, unlink } from "./link.ts";
import { list } from "./list.ts";
import { delta, full, prestage, repair, retry, trial, verify } from "./pass.ts";
import { projectNew } from "./project-new.ts";
import { projectSet } from "./project-set.ts";
import { projectClose, projectShow } from "./project-show.ts";
import { queue } from "./queue.ts";
import { remigrate } from "./remigrate.ts";
import { remigrationList, remigrationShow, remigrationTick } from "./remigration.ts";
import { remind, remindCancel, remindList, remindRun, remindSkip, remindSnooze } from "./remind.ts";
import { roles, rolesGrant, rolesRevoke } from "./roles.ts";
import { scheduleCancel, scheduleListed, scheduleMove, scheduleRun } from "./schedule.ts";
import { cancel, start } from "./start.ts";
import { report, status } from "./status.ts";

/** Every command there is, in the order help shows them. A new one is added here and in a file of its own. */
export const commands: Command[] = [
  endpointNew,
  endpointSet,
  endpointSecret,
  endpointPace,
  projectNew,
  projectSet,
  projectClose,
  link,
  unlink,
  channel,
  rolesGrant,
  rolesRevoke,
  add,
  importCsv,
  verify,
  trial,
  prestage,
  full,
  delta,
  retry,
  repair,
  remigrate,
  remigrationTick,
  start,
  cancel,
  approve,
  deny,
  cutoverWatch,
  cutoverDone,
  cutoverSweep,
  cutoverCancel,
  remind,
  remindRun,
  remindSnooze,
  remindSkip,
  remindCancel,
  scheduleMove,
  scheduleRun,
  scheduleCancel,
  pause,
  resume,
  stop,
  status,
  report,
  cutoverStatus,
  board,
  boardAssign,
  boardTick,
  boardUntick,
  boardRemove,
  scheduleListed,
  remindList,
  list,
  remigrationList,
  remigrationShow,
  projectShow,
  endpointList,
  licenses,
  licensesAdd,
  licensesHistory,
  licensesReport,
  roles,
  audit,
  queue,
  help,
  feedback,
];
