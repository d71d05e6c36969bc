import type { OpenTarget, Provider, Target } from "../../engine/domain/provider.ts";
import { dice, letters } from "../doubles/letters.ts";
import { compare, touched, type Verdict } from "../servers/checker.ts";
import type { Dovecot } from "../servers/dovecot.ts";
import { startWorld, type World } from "../servers/world.ts";
import { type Ground, openGround, removeMailbox } from "./ground.ts";
import { dump } from "./kills.ts";
import type { Suite, Tally } from "./suite.ts";
import { sumOf, tallyOf } from "./tally.ts";

/** What of a server is killed: the process that serves our connection, or all of it, which is started again. */
export interface ServerKill {
  side: "source" | "target";
  what: "child" | "master";
}

export const serverKills: ServerKill[] = [
  { side: "source", what: "child" },
  { side: "target", what: "child" },
  { side: "source", what: "master" },
  { side: "target", what: "master" },
];

/** A kill and its moment: with the n-th message that the target has taken. */
interface Moment extends ServerKill {
  nth: number;
  /** So long after it, while the engine goes on; null where the engine hears of the message only afterwards. */
  afterMs: number | null;
}

const lettersEach = 48;

/** Carries a mailbox in one pass while these are killed, one after another, and asks the witness. */
export async function killServers(
  { old, fresh }: Pick<Ground, "old" | "fresh">,
  options: {
    kills: ServerKill[];
    user: string;
    seed: number;
    databaseUrl?: string;
    /** A control: the engine forgets what is in doubt. */
    naive?: boolean;
  },
): Promise<Tally> {
  const { user, kills, seed, databaseUrl } = options;
  const source = `${user}@old.example`;
  const count = await deliver(old, source, seed, kills.length * lettersEach);
  const before = await dump(old, source);
  const rebuilt = await rebuilds(fresh);
  await using world = await startWorld(old, fresh, {
    ...(databaseUrl === undefined ? {} : { databaseUrl }),
    settings: { tries: 20 },
  });
  await world.add(user);
  const { works } = world.godwit;
  if (options.naive === true) {
    works.ledger = { ...works.ledger, intents: () => Promise.resolve([]) };
  }
  const killing = killAsTaken(momentsOf(kills, count, seed), { source: old, target: fresh });
  works.providers.imap = watchedTarget(works.providers.imap, killing.taken);
  const wrong = await carried(world, count);
  await killing.over();
  if (killing.hit() < kills.length) {
    wrong.push(`${kills.length - killing.hit()} of ${kills.length} kills met no connection`);
  }
  wrong.push(...touched(before, await dump(old, source)));
  const verdict = compare(before, await dump(fresh, `${user}@new.example`));
  const differences = withoutBare(verdict.differences, (await rebuilds(fresh)) - rebuilt);
  return tallyOf(killing.hit(), { ...verdict, differences }, wrong);
}

/**
 * How often this server has met the file of a message that its index did not know, left behind by a killed process. It
 * shows the message from then on, without its flags: those were to be in the index.
 */
async function rebuilds(server: Dovecot): Promise<number> {
  return (await server.log()).split("already exists, rebuilding index").length - 1;
}

/** Without so many that differ in having no flags. */
function withoutBare(differences: Verdict["differences"], most: number): Verdict["differences"] {
  const isBare = ({ source, target }: Verdict["differences"][0]) =>
    target.endsWith("Z ") && source.startsWith(target);
  const [bare, others] = [differences.filter(isBare), differences.filter((one) => !isBare(one))];
  return [...others, ...bare.slice(most)];
}

/** Spreads the kills over the messages, each at a moment of its own. */
function momentsOf(kills: ServerKill[], count: number, seed: number): Moment[] {
  const random = dice(seed);
  return kills.map((kill, n) => ({
    ...kill,
    nth: 1 + Math.floor(((n + random()) * (count - 1)) / kills.length),
    afterMs: random() < 0.5 ? null : random() * 5,
  }));
}

function killAsTaken(moments: Moment[], servers: Record<ServerKill["side"], Dovecot>) {
  const left = [...moments];
  let running = Promise.resolve();
  let count = 0;
  let hit = 0;
  const kill = async ({ side, what }: ServerKill) => {
    if (what === "master") {
      await servers[side].cut();
      hit += 1;
    } else if ((await servers[side].killChildren()) > 0) hit += 1;
  };
  return {
    hit: () => hit,
    over: () => running,
    /** To be called with each message that was taken. */
    async taken() {
      count += 1;
      const [next] = left;
      if (next === undefined || count < next.nth) return;
      left.shift();
      const { afterMs } = next;
      if (afterMs === null) return kill(next);
      running = Promise.all([
        running,
        new Promise((go) => setTimeout(go, afterMs)).then(() => kill(next)),
      ]).then(() => {});
    },
  };
}

/** The same provider; `taken` is waited for before a receipt is handed on. */
function watchedTarget(imap: Provider, taken: () => Promise<void>): Provider {
  const watched = (target: Target): Target => ({
    ...target,
    async open(path): Promise<OpenTarget> {
      const open = await target.open(path);
      return {
        ...open,
        async *add(items) {
          for await (const receipt of open.add(items)) {
            await taken();
            yield receipt;
          }
        },
      };
    },
  });
  return {
    source: (address) => imap.source(address),
    target: async (address) => watched(await imap.target(address)),
  };
}

/** Every third letter comes twice. Answers how many messages that is. */
async function deliver(old: Dovecot, user: string, seed: number, count: number): Promise<number> {
  await using client = await old.login(user);
  const mails = letters({ seed, count, size: { min: 300, max: 12_000 } })
    .flatMap((letter, n) => (n % 3 === 0 ? [letter, letter] : [letter]))
    .map(({ raw, flags, date }) => ({ body: raw, flags, date: date.getTime() }));
  await client.create("Work");
  const half = Math.ceil(mails.length / 2);
  await client.appendMany("INBOX", mails.slice(0, half));
  await client.appendMany("Work", mails.slice(half));
  return mails.length;
}

async function carried(world: World, count: number): Promise<string[]> {
  const { state, counters, runs } = await world.pass("full");
  const reason = runs[0]?.reason ?? "";
  if (counters.migrated === count && (state === "completed" || couldNotAsk.test(reason))) return [];
  return [`the pass is ${state} with ${counters.migrated} of ${count}: ${reason}`];
}

/**
 * A target killed at the very end, while it is asked whether what was sent again stands there twice: that it
 * could not be asked is said, and all that can be.
 */
const couldNotAsk =
  /^(\w+: it could not be asked whether what was sent again stands there twice(; )?)+$/;

/** So many in one pass. */
const killsInOne = 8;

/** F4: mail servers killed while they are carried from and to. */
export const servers: Suite = {
  name: "servers",
  row: "F4",
  times: 40,
  async run({ times, seed, database, tell }) {
    // A killed process may leave a maildir locked, and Dovecot waits two minutes for the dead.
    await using ground = await openGround(database, "sdbox");
    const all = Array.from({ length: times }, (_, n) => serverKills[n % serverKills.length]!);
    const tallies: Tally[] = [];
    for (let from = 0; from < times; from += killsInOne) {
      const kills = all.slice(from, from + killsInOne);
      const user = `servers${from}`;
      const where = { user, seed: seed + from, ...(await ground.database()) };
      tallies.push(await killServers(ground, { kills, ...where }));
      await removeMailbox(ground.old, `${user}@old.example`);
      await removeMailbox(ground.fresh, `${user}@new.example`);
      tell(`${from + kills.length} of ${times} kills of servers`);
    }
    return sumOf(tallies);
  },
};
