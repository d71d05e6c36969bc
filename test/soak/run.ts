import { setTimeout as delay } from "node:timers/promises";
import { dice } from "../doubles/letters.ts";
import { faultsHappen } from "./faults.ts";
import { type Growth, growthOf } from "./growth.ts";
import { type House, openHouse } from "./house.ts";
import { judge, stopAll } from "./judge.ts";
import { mailComes, pass, passesRun, pause, type Story, typed } from "./life.ts";
import { sample } from "./sample.ts";
import { keepSamples, processFigures, type Samples, sharedFigures } from "./samples.ts";
import { openVoice, type Voice } from "./voice.ts";

export interface SoakOptions {
  minutes: number;
  seed: number;
  /** A line of what goes on. */
  tell(line: string): void;
  /** Ends it sooner, in order. */
  signal: AbortSignal;
}

/** How one figure grew over the soak. */
export interface GrowthSeen extends Growth {
  who: string;
  figure: string;
}

export interface Outcome {
  grown: GrowthSeen[];
  /** Whatever is not as promised, one line each. */
  wrong: string[];
  story: Story;
  /** Where the samples lie. */
  samples: string;
}

const sampleMs = 10_000;

/** A bot and two engines at work for so many minutes, with faults; then what is to be seen of it. */
export async function soak({ minutes, seed, tell, signal }: SoakOptions): Promise<Outcome> {
  const lastsMs = minutes * 60_000;
  await using house = await openHouse(Math.max(sampleMs, lastsMs / 60));
  const file = `${house.folder}/samples.tsv`;
  await using samples = keepSamples(file);
  const gone = new AbortController();
  for (const { working } of [house.bot, house.steady]) void working.ended.then(() => gone.abort());
  const story = begin(tell, gone.signal);
  tell(`seed ${seed}; samples in ${file}`);
  await using voice = await openVoice(house);
  await setUp(house, voice, story);

  const over = AbortSignal.any([AbortSignal.timeout(lastsMs), signal, story.gone]);
  const measuring = new AbortController();
  const told = telling(house, story, samples, measuring.signal);
  const measured = every(sampleMs, () => sample(house, samples), measuring.signal);
  const everybody = house.projects.flatMap(({ people }) => people);
  const lives = [
    mailComes(everybody, story, dice(seed), over),
    faultsHappen(house, story, dice(seed + 1), over),
    ...house.projects.map(({ name }, nth) =>
      passesRun(name, house, voice, story, dice(seed + 2 + nth), over),
    ),
  ];
  const ends = await Promise.allSettled(lives);
  measuring.abort();
  await Promise.all([told, measured]);
  const wrong = ends.flatMap((one) => (one.status === "rejected" ? [String(one.reason)] : []));
  if (wrong.length === 0) wrong.push(...(await end(house, voice, story).catch(asWords)));
  wrong.push(...story.wrong, ...(await stopAll(house, story)));
  return { grown: grown(samples), wrong, story, samples: file };
}

const asWords = (error: unknown) => [String(error)];

function begin(tell: Story["tell"], gone: AbortSignal): Story {
  return {
    gone,
    delivered: 0,
    passes: 0,
    stopped: new Set(),
    typed: 0,
    wrong: [],
    away: [],
    faults: new Map(),
    tell: (line) => tell(`${new Date().toISOString().slice(11, 19)}  ${line}`),
  };
}

async function setUp(house: House, voice: Voice, story: Story): Promise<void> {
  const at = (name: string, { host, port }: { host: string; port: number }) =>
    `endpoint new ${name} imap://${host}:${port} --login master --user master --password-env MASTER --insecure`;
  const lines = [
    at("old", house.old.proxy),
    at("new", house.fresh.proxy),
    ...house.projects.flatMap(({ name, people }) => [
      `project new ${name} --from old --to new --policy cloudiway`,
      `licenses add ${people.length + 5} --note "order 1" --project ${name}`,
      ...people.map(
        (one) => `add ${one.name}@old.example ${one.name}@new.example --project ${name}`,
      ),
    ]),
  ];
  for (const line of lines) {
    const { outcome } = await voice.terminal(line);
    if (outcome !== "done") story.wrong.push(`“${line}” was ${outcome}`);
  }
}

/** The last passes, and what is to be seen then. */
async function end(house: House, voice: Voice, story: Story): Promise<string[]> {
  story.tell("no more faults and no more mail; the last passes");
  for (const { name } of house.projects) await pass("delta --yes", name, house, voice, story);
  await typed("list projects", voice, story);
  const untold = () => house.books.number("select count(*) from news where not delivered");
  for (let looks = 0; looks < 120 && (await untold()) > 0; looks += 1) await delay(1_000);
  story.tell("the witness compares all mailboxes");
  return judge(house, story.stopped);
}

async function every(ms: number, work: () => Promise<void>, over: AbortSignal): Promise<void> {
  while (!over.aborted) {
    await work();
    await pause(ms, over);
  }
}

async function telling(
  { bot, steady, books }: House,
  story: Story,
  samples: Samples,
  over: AbortSignal,
): Promise<void> {
  const last = (who: string, figure: string) => samples.of(who, figure).at(-1)?.value ?? 0;
  await every(
    60_000,
    async () => {
      const carried = await books.tryNumber("select coalesce(sum(migrated), 0) from run_folders");
      const figures = [bot, steady].map(
        ({ name }) =>
          `${name} ${mega(last(name, "resident bytes"))} MB, ${mega(last(name, "live heap bytes"))} live, ${last(name, "descriptors")} descriptors`,
      );
      const bad = await books.tryNumber(
        "select count(*) from passes where state in ('failed', 'completed_with_errors')",
      );
      const faults = [...story.faults.values()].reduce((sum, one) => sum + one, 0);
      story.tell(
        `${story.delivered} mails came, ${carried ?? "?"} carried, ${story.passes} passes, ${faults} faults, ${story.wrong.length + (bad ?? 0)} wrong; ${figures.join("; ")}`,
      );
    },
    over,
  );
}

const mega = (bytes: number) => (bytes / 1024 / 1024).toFixed(1);

/** Of what lives all the time. */
function grown(samples: Samples): GrowthSeen[] {
  const found: GrowthSeen[] = [];
  for (const who of ["bot", "engine", "shared"]) {
    for (const [figure, rule] of Object.entries(
      who === "shared" ? sharedFigures : processFigures,
    )) {
      if (rule !== null) found.push({ who, figure, ...growthOf(samples.of(who, figure), rule) });
    }
  }
  return found;
}
