import { setTimeout as delay } from "node:timers/promises";
import { letters } from "../doubles/letters.ts";
import type { Person } from "../servers/person.ts";
import type { House } from "./house.ts";
import type { Voice } from "./voice.ts";

/** What happened until now, and what is wrong with it. */
export interface Story {
  delivered: number;
  passes: number;
  /** Those somebody stopped. */
  stopped: Set<number>;
  typed: number;
  /** Lines that failed though they should not; refusals are answers. */
  wrong: string[];
  /** When the database was at fault. */
  away: { from: number; until: number }[];
  faults: Map<string, number>;
  /** Aborts when a process that is to live has ended. */
  gone: AbortSignal;
  tell(line: string): void;
}

/** What life needs of chance: 0 up to 1, the same for the same seed. */
export type Dice = () => number;

const folders = ["INBOX", "INBOX", "INBOX", "Sent", "Archive", "Work", "Work/2026"];

/** Mail comes to everybody until it is over: a few every two seconds, now and then many at once. */
export async function mailComes(
  people: Person[],
  story: Story,
  dice: Dice,
  over: AbortSignal,
): Promise<void> {
  for (let series = 1; !over.aborted; series += 1) {
    const who = people[Math.floor(dice() * people.length)]!;
    const folder = folders[Math.floor(dice() * folders.length)]!;
    const count = dice() < 0.03 ? 400 : 5 + Math.floor(dice() * 35);
    const mails = letters({ seed: series, count, size: { min: 200, max: 3_000 } });
    try {
      await who.deliver(
        folder,
        ...mails.map(({ raw, flags, date }) => ({ body: raw, flags, date: date.getTime() })),
      );
      story.delivered += count;
    } catch {
      // The server is away; what of it came is the witness's to see.
    }
    await pause(2_000, over);
  }
}

/** Passes of one project, one after another, until it is over; answers when the last has ended. */
export async function passesRun(
  project: string,
  house: House,
  voice: Voice,
  story: Story,
  dice: Dice,
  over: AbortSignal,
): Promise<void> {
  const at = `--project ${project}`;
  await pass("full --yes", project, house, voice, story);
  while (!over.aborted) {
    const what = dice();
    if (what < 0.06) await pass("verify", project, house, voice, story);
    if (what > 0.85) await typed(`${small[Math.floor(dice() * small.length)]} ${at}`, voice, story);
    const number = await begin("delta --yes", project, house, voice, story);
    if (number !== null) {
      await middle(number, project, voice, story, dice);
      await ended(number, project, house, voice, story);
    }
    await pause(2_000 + dice() * 10_000, over);
  }
}

const small = [
  "status",
  "report",
  "list",
  "licenses",
  "licenses history",
  "audit",
  "delta --dry-run",
];

/** What somebody does while a pass runs. */
async function middle(
  number: number,
  project: string,
  voice: Voice,
  story: Story,
  dice: Dice,
): Promise<void> {
  const at = `--project ${project}`;
  const what = dice();
  if (what < 0.15) {
    if ((await typed(`pause ${number} ${at}`, voice, story)) === "done") {
      await delay(500 + dice() * 4_000);
      await typed(`resume ${number} ${at}`, voice, story);
    }
  } else if (what < 0.25) {
    if ((await typed(`stop ${number} ${at}`, voice, story)) === "done") story.stopped.add(number);
  } else if (what < 0.4) await typed(`status ${number} ${at}`, voice, story);
}

/** A pass from its first word to its end. */
export async function pass(
  words: string,
  project: string,
  house: House,
  voice: Voice,
  story: Story,
): Promise<void> {
  const number = await begin(words, project, house, voice, story);
  if (number !== null) await ended(number, project, house, voice, story);
}

/** Null where nothing was started. */
async function begin(
  words: string,
  project: string,
  { books }: House,
  voice: Voice,
  story: Story,
): Promise<number | null> {
  const newest = () =>
    books.number(
      "select coalesce(max(p.id), 0) from passes p join projects j on j.id = p.project_id where j.name = $1",
      [project],
    );
  const before = await newest();
  const outcome = await typed(`${words} --project ${project}`, voice, story);
  const number = await newest();
  if (outcome === "refused") story.wrong.push(`“${words}” in ${project} was refused`);
  if (number === before) return null;
  story.passes += 1;
  return number;
}

async function ended(
  number: number,
  project: string,
  { books }: House,
  voice: Voice,
  story: Story,
): Promise<void> {
  for (let looks = 1; ; looks += 1) {
    const [row] = await books.rows<{ state: string }>("select state from passes where id = $1", [
      number,
    ]);
    if (row !== undefined && !["queued", "processing", "paused"].includes(row.state)) return;
    // Whoever paused it has resumed it by now.
    if (row?.state === "paused" && looks % 60 === 0) {
      story.wrong.push(`pass ${number} of ${project} had to be resumed twice`);
      await typed(`resume ${number} --project ${project}`, voice, story);
    }
    story.gone.throwIfAborted();
    if (looks === 4_000) {
      story.wrong.push(`pass ${number} of ${project} has not ended for more than half an hour`);
      return;
    }
    await delay(500);
  }
}

/** By the terminal, or by the page, in turn. */
export async function typed(line: string, voice: Voice, story: Story): Promise<string> {
  story.typed += 1;
  const { outcome } = await (story.typed % 3 === 0 ? voice.terminal(line) : voice.page(line));
  if (outcome === "failed") story.wrong.push(`“${line}” failed`);
  return outcome;
}

/** Over sooner where everything is. */
export async function pause(ms: number, over: AbortSignal): Promise<void> {
  await delay(ms, undefined, { signal: over }).catch(() => undefined);
}
