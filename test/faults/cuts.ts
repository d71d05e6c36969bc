import { gap } from "../../engine/domain/counters.ts";
import { imapProvider } from "../../engine/providers/imap/provider.ts";
import { letters } from "../doubles/letters.ts";
import { compare, touched } from "../servers/checker.ts";
import type { Dovecot } from "../servers/dovecot.ts";
import { type ImapProxy, startProxy } from "../servers/proxy.ts";
import { startWorld, type World } from "../servers/world.ts";
import { type CutKind, cutKinds } from "./cut-kinds.ts";
import { type Ground, inLanes, openGround, removeMailbox } from "./ground.ts";
import { dump } from "./kills.ts";
import type { Suite, Tally } from "./suite.ts";
import { sumOf, tallyOf } from "./tally.ts";

/** What is carried through a proxy on either side. */
export interface CutOptions {
  user: string;
  seed: number;
  /** One full pass, or a pre-stage, a full pass and a delta with new mail. */
  passes: "one" | "three";
  databaseUrl?: string;
  /** A control: the engine forgets what is in doubt. */
  naive?: boolean;
}

/** How often an undisturbed series comes by the places where a kind of cut is made. */
export type Occasions = ReadonlyMap<CutKind, number>;

const folders = ["INBOX", "Work"];

/** Of some letters every third comes twice. */
async function deliver(old: Dovecot, user: string, seed: number, count: number): Promise<void> {
  await using client = await old.login(user);
  const there = new Set((await client.list()).map(({ name }) => name));
  for (const folder of folders) if (!there.has(folder)) await client.create(folder);
  const size = { min: 700, max: 6_500 };
  const all = letters({ seed, count, folders: folders.map((folder) => [folder]), size });
  for (const folder of folders) {
    const own = all.filter((letter) => letter.folder[0] === folder);
    const mails = own.flatMap((one, n) => (n % 3 === 0 ? [one, one] : [one]));
    await client.appendMany(
      folder,
      mails.map(({ raw, flags, date }) => ({ body: raw, flags, date: date.getTime() })),
    );
  }
}

/** Carries a mailbox undisturbed and counts where it could have been cut. */
export async function rehearse(
  { old, fresh }: Pick<Ground, "old" | "fresh">,
  options: CutOptions,
): Promise<Occasions> {
  await using between = await openBetween(old, fresh, options);
  await carryAll(old, between.world, options, false);
  return new Map(
    cutKinds.map((kind) => {
      const { commands, connections } = between[kind.side];
      const { on } = kind;
      const met = on === "greeting" ? connections() : commands.filter((one) => on.test(one)).length;
      return [kind, met];
    }),
  );
}

/** Carries a mailbox with a cut at the n-th occasion, and asks the witness. */
export async function cutAt(
  { old, fresh }: Pick<Ground, "old" | "fresh">,
  kind: CutKind,
  nth: number,
  options: CutOptions,
): Promise<Tally> {
  await using between = await openBetween(old, fresh, options, kind);
  between[kind.side].rules.push(...kind.rules(nth));
  const wrong = await carryAll(old, between.world, options, kind.mended === true);
  const faults = between[kind.side].applied();
  if (faults === 0) wrong.push("it was never cut");
  const before = await dump(old, `${options.user}@old.example`);
  const after = await dump(fresh, `${options.user}@new.example`);
  const where = `${kind.side}, ${kind.name}, the ${nth}.`;
  return tallyOf(
    Math.min(faults, 1),
    compare(before, after),
    wrong.map((what) => `${where}: ${what}`),
  );
}

interface Between extends AsyncDisposable {
  world: World;
  source: ImapProxy;
  target: ImapProxy;
}

async function openBetween(
  old: Dovecot,
  fresh: Dovecot,
  { databaseUrl, naive }: CutOptions,
  kind?: CutKind,
): Promise<Between> {
  await using stack = new AsyncDisposableStack();
  const source = stack.use(await startProxy(old));
  const target = stack.use(await startProxy(fresh));
  const world = stack.use(
    await startWorld(source, target, {
      ...(databaseUrl === undefined ? {} : { databaseUrl }),
      settings: {
        quietMs: 150,
        silentQuietMs: 150,
        retryMs: 20,
        // On a busy machine a server is silent for longer than a stall is waited for.
        tries: 40,
        batch: { items: 8, bytes: 4_000_000 },
      },
    }),
  );
  const { works } = world.godwit;
  if (kind?.stalls === true) works.providers.imap = imapProvider({ silenceMs: 1_000 });
  if (naive === true) works.ledger = { ...works.ledger, intents: () => Promise.resolve([]) };
  const opened = stack.move();
  return { world, source, target, [Symbol.asyncDispose]: () => opened.disposeAsync() };
}

/** The passes of a series. Answers what of them is not as promised; nothing may differ at the source. */
async function carryAll(
  old: Dovecot,
  world: World,
  { user, seed, passes }: CutOptions,
  mended: boolean,
): Promise<string[]> {
  const wrong: string[] = [];
  const source = `${user}@old.example`;
  await deliver(old, source, seed, 24);
  await world.add(user);
  let before = await dump(old, source);
  const pass = async (...words: Parameters<World["pass"]>) => {
    const { state, counters, runs } = await world.pass(...words);
    if (gap(counters) !== 0) wrong.push(`the sums of the ${words[0]} do not balance`);
    if (state === "completed" || (mended && state === "completed_with_errors")) return state;
    wrong.push(`the ${words[0]} is ${state}: ${runs[0]?.reason}`);
    return state;
  };
  let last = "completed";
  if (passes === "three") {
    last = await pass("prestage", { days: 180 });
    last = await pass("full");
    wrong.push(...touched(before, await dump(old, source)));
    await deliver(old, source, seed + 1, 9);
    before = await dump(old, source);
    last = await pass("delta");
  } else last = await pass("full");
  if (last === "completed_with_errors") {
    const again = await world.pass("delta");
    if (again.state !== "completed") wrong.push(`the delta after it is ${again.state}`);
  }
  wrong.push(...touched(before, await dump(old, source)));
  return wrong;
}

/** F3: a connection cut in every way at every place: at the first, the middle and the last occasion. */
export const cuts: Suite = {
  name: "cuts",
  row: "F3",
  times: cutKinds.length * 3,
  async run({ times, seed, database, tell }) {
    await using ground = await openGround(database);
    const series = { seed, passes: "three" as const };
    const occasions = await rehearse(ground, {
      ...series,
      user: "rehearsal",
      ...(await ground.database()),
    });
    const places = cutKinds.flatMap((kind) => {
      const count = occasions.get(kind) ?? 0;
      return [1, Math.ceil(count / 2), count].map((nth) => ({ kind, nth }));
    });
    const tasks = Array.from({ length: times }, (_, n) => places[n % places.length]!);
    let done = 0;
    const tallies = await inLanes([...tasks.entries()], async ([n, { kind, nth }]) => {
      const user = `cut${n}`;
      const where = { ...series, user, ...(await ground.database()) };
      const tally = await cutAt(ground, kind, nth, where);
      await removeMailbox(ground.old, `${user}@old.example`);
      await removeMailbox(ground.fresh, `${user}@new.example`);
      done += 1;
      if (done % 14 === 0) tell(`${done} of ${times} cuts`);
      return tally;
    });
    return sumOf(tallies);
  },
};
