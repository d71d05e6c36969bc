import type { Clock, Instant } from "./domain/clock.ts";
import {
  type Cutover,
  type MailLook,
  mailboxesOf,
  onlyLeft,
  standing,
  withheld,
} from "./domain/cutover.ts";
import { sumsOf } from "./domain/forecast.ts";
import { advance } from "./domain/mx.ts";
import { type OutageLog, triesOf } from "./domain/outage.ts";
import type { Entry, Project } from "./domain/project.ts";
import type { Desk } from "./submit.ts";

/** How often the DNS is asked until the change is made and everybody says so, and afterwards, in ms. */
const dnsMs = { before: 60_000, after: 5 * 60_000 };
/** How often the old mailboxes are looked at for late mail, and once the verdict is given, in ms. */
const mailMs = { before: 15 * 60_000, after: 60 * 60_000 };
/** Mailboxes looked at at the same time. */
const atOnce = 4;
/** How often it is looked what is due, in ms. */
const lookMs = 1_000;

/** Asks what is due of every cutover: the DNS, and once the MX was changed the old mailboxes. */
export async function watchDue(desk: Desk): Promise<void> {
  await askDnsDue(desk);
  await askMailboxesDue(desk);
}

async function askDnsDue(desk: Desk): Promise<void> {
  for (const cutover of await desk.cutovers.live()) {
    if (cutover.dueAt <= desk.clock.now()) await askDns(cutover, desk);
  }
}

async function askMailboxesDue(desk: Desk): Promise<void> {
  for (const cutover of await desk.cutovers.live()) {
    const { mailDueAt, movedAt } = cutover;
    if (mailDueAt === null || movedAt === null || mailDueAt > desk.clock.now()) continue;
    const pause = cutover.safeAt === null ? mailMs.before : mailMs.after;
    const next = desk.clock.now() + pause;
    if (!(await desk.cutovers.claim(cutover.n, "mail", mailDueAt, next))) continue;
    await askMailboxes(cutover, movedAt, desk);
    // However long it took: the pause is counted from its end.
    await desk.cutovers.claim(cutover.n, "mail", next, desk.clock.now() + pause);
  }
}

async function askDns(cutover: Cutover, desk: Desk): Promise<void> {
  const { n, domain, state, dueAt, known: before } = cutover;
  const { cutovers, clock } = desk;
  const still = state === "moved" && before.phase === "new";
  const next = clock.now() + (still ? dnsMs.after : dnsMs.before);
  if (!(await cutovers.claim(n, "dns", dueAt, next))) return;
  const project = await desk.projects.byId(cutover.project);
  if (project.closed) {
    await cutovers.end(n, "ended");
    return;
  }
  const known = advance(cutover, before, await desk.dns.look(domain));
  // Another process has seen more since.
  if (!(await cutovers.saw(n, before.sight.at, known))) return;
  if (state === "watching") {
    if (known.phase === "new") await cutovers.moved(n, known.sight.at, null);
    return;
  }
  await settleOffer(cutover, project, desk);
  await judge(n, desk);
}

async function askMailboxes(cutover: Cutover, movedAt: Instant, desk: Desk): Promise<void> {
  const { n } = cutover;
  const { cutovers, clock, passes, projects } = desk;
  const project = await projects.byId(cutover.project);
  if (project.closed) {
    await cutovers.end(n, "ended");
    return;
  }
  const { entries } = mailboxesOf(await projects.entries(project.id), cutover.domain);
  const look: MailLook = { at: clock.now(), mailboxes: entries.length, problems: [], left: null };
  look.problems = await lateMail(cutover, entries, desk);
  const late = await cutovers.late(n);
  // It costs both ends of every mailbox: asked where it decides.
  if (late.waiting > 0 || onlyLeft(withheld({ ...cutover, look }, late, look.at))) {
    look.left = await left(project, entries, desk);
  }
  if (look.left === 0) await cutovers.settle(n);
  await cutovers.looked(n, look);
  const { waiting } = await cutovers.late(n);
  const full = await passes.fullSince(project.id, movedAt);
  const ran = new Set(full.flatMap(({ runs }) => runs.map(({ entry }) => entry)));
  // One that ran and failed is told by its pass, not asked for again and again.
  const due = waiting > 0 || (look.left ?? 0) > 0 || !entries.every(({ id }) => ran.has(id));
  const idle = entries.every(({ busyWith }) => busyWith === null);
  if (due && idle) await cutovers.offer(n, clock.now());
  await judge(n, desk);
}

/** Looks through the mailboxes; answers which could not be asked. */
async function lateMail(
  { n, movedAt }: Cutover,
  entries: Entry[],
  { cutovers, late, clock }: Desk,
): Promise<MailLook["problems"]> {
  const lookInto = async ({ id }: Entry, since: Instant): Promise<string | null> => {
    const marks = await cutovers.marks(n, id);
    const { problem, mails, marks: reached } = await late.look(id, marks, since);
    if (problem !== null) return problem;
    // A server may say anything; nothing came later than now.
    const told = mails.map((mail) => ({ ...mail, at: Math.min(mail.at, clock.now()) }));
    await cutovers.found(n, id, { mails: told, marks: reached });
    return null;
  };
  const problems: MailLook["problems"] = [];
  const waiting = [...entries];
  const worker = async () => {
    for (let one = waiting.shift(); one !== undefined; one = waiting.shift()) {
      const problem = await lookInto(one, movedAt ?? 0);
      if (problem !== null) problems.push({ source: one.source, reason: problem });
    }
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
  return problems;
}

/** What a delta would carry by now; null where not every mailbox could be asked. */
async function left(project: Project, entries: Entry[], desk: Desk): Promise<number | null> {
  const { filters } = project;
  const forecast = await desk.leftover.ask({ kind: "delta", limit: null, filters, entries });
  const { items, renumbered, tooLarge, problems } = sumsOf(forecast);
  const all = forecast.entries.length === forecast.of && problems.length === 0;
  return all ? items + renumbered + tooLarge : null;
}

/** Somebody who typed the pass has answered as well. */
async function settleOffer(cutover: Cutover, project: Project, desk: Desk): Promise<void> {
  const { n, offer, domain } = cutover;
  if (offer === null || offer.by !== null) return;
  const { entries } = mailboxesOf(await desk.projects.entries(project.id), domain);
  const own = new Set(entries.map(({ id }) => id));
  const full = await desk.passes.fullSince(project.id, offer.at);
  const pass = full.find(({ runs }) => runs.some(({ entry }) => own.has(entry)));
  if (pass !== undefined) await desk.cutovers.answer(n, pass.startedBy, pass.createdAt);
}

async function judge(n: number, { cutovers, clock }: Desk): Promise<void> {
  const cutover = await cutovers.look(n);
  if (cutover === null) return;
  const now = clock.now();
  const { safe } = standing(cutover, await cutovers.late(n), now);
  await cutovers.judge(n, safe ? (cutover.safeAt ?? now) : null, cutover.known.sight.at);
}

/** Keeps watching until it is disposed. A long look at mailboxes holds up no question to the DNS. */
export function startWatching(desk: Desk, clock: Clock, log: OutageLog): AsyncDisposable {
  const over = new AbortController();
  const keep = async (look: (desk: Desk) => Promise<void>) => {
    const tries = triesOf("a cutover could not be watched", log);
    while (!over.signal.aborted) {
      try {
        await look(desk);
        tries.worked();
      } catch (err) {
        // What was taken is due again after its pause.
        tries.failed(err);
      }
      await clock.sleep(lookMs, over.signal);
    }
  };
  const watching = Promise.all([keep(askDnsDue), keep(askMailboxesDue)]);
  return {
    async [Symbol.asyncDispose]() {
      over.abort();
      await watching;
    },
  };
}
