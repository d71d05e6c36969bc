import { setTimeout as delay } from "node:timers/promises";
import type { ProxyRule } from "../servers/proxy-rules.ts";
import type { House, Side } from "./house.ts";
import { type Dice, pause, type Story } from "./life.ts";

interface Fault {
  name: string;
  /** Does it and mends it; null where there was nothing to do it to. */
  work(house: House, dice: Dice, story: Story): Promise<string | null>;
}

/** Faults by the seed, one at a time, until it is over; nothing is left unmended. */
export async function faultsHappen(
  house: House,
  story: Story,
  dice: Dice,
  over: AbortSignal,
): Promise<void> {
  for (;;) {
    await pause(10_000 + dice() * 30_000, over);
    if (over.aborted) return;
    const fault = faults[Math.floor(dice() * faults.length)]!;
    const told = await fault.work(house, dice, story).catch((error: unknown) => {
      story.wrong.push(`${fault.name}: ${error}`);
      return null;
    });
    if (told === null) continue;
    story.faults.set(fault.name, (story.faults.get(fault.name) ?? 0) + 1);
    story.tell(told);
  }
}

const faults: Fault[] = [
  {
    name: "engine killed",
    async work(house, dice) {
      const { restless } = house;
      if (restless === null) return null;
      restless.working.kill("SIGKILL");
      await restless.working.ended;
      house.restless = null;
      await delay(dice() * 8_000);
      await house.startRestless();
      return "an engine was killed and started again";
    },
  },
  {
    name: "engine told to stop",
    async work(house, dice, story) {
      const { restless } = house;
      if (restless === null) return null;
      restless.working.kill("SIGTERM");
      const { code } = await restless.working.ended;
      if (code !== 0) story.wrong.push(`an engine told to stop ended with ${code}`);
      house.restless = null;
      await delay(dice() * 8_000);
      await house.startRestless();
      return "an engine was told to stop and started again";
    },
  },
  {
    name: "Redis killed",
    async work({ redis }, dice) {
      await redis.kill();
      await delay(dice() * 10_000);
      await redis.start();
      return "Redis was killed and came back empty";
    },
  },
  {
    name: "Redis emptied",
    async work({ redis }) {
      await redis.ask("FLUSHALL");
      return "Redis was emptied";
    },
  },
  {
    name: "Redis frozen",
    async work({ redis }, dice) {
      redis.freeze();
      await delay(2_000 + dice() * 10_000);
      redis.thaw();
      return "Redis was frozen for a while";
    },
  },
  {
    name: "sessions of the database ended",
    work: (house, _, story) =>
      database(house, story, async () => {
        const ended = await house.books.terminate("godwit");
        return `${ended} sessions of the database were ended`;
      }),
  },
  {
    name: "sessions of the locks ended",
    work: (house, _, story) =>
      database(house, story, async () => {
        const ended = await house.books.terminate("godwit locks");
        return `${ended} sessions that hold locks were ended`;
      }),
  },
  {
    name: "database killed",
    work: (house, _, story) =>
      database(house, story, async () => {
        await house.postgres.cut();
        return "the database was killed and came back";
      }),
  },
  {
    name: "mail server's process killed",
    async work(house, dice) {
      const [side, name] = one(house, dice);
      const killed = await side.killChild((from) => Math.floor(dice() * from));
      return killed ? `a process of the ${name} mail server was killed` : null;
    },
  },
  {
    name: "mail server killed",
    async work(house, dice) {
      const [side, name] = one(house, dice);
      await side.cut();
      return `the ${name} mail server was killed and came back`;
    },
  },
  {
    name: "connection cut",
    async work(house, dice) {
      const [side, name] = one(house, dice);
      const rule = cuts[Math.floor(dice() * cuts.length)]!(1 + Math.floor(dice() * 5));
      side.proxy.rules.push(rule);
      return `a connection to the ${name} mail server will be cut: ${rule.do}, ${rule.on}`;
    },
  },
];

const cuts: ((nth: number) => ProxyRule)[] = [
  (nth) => ({ on: /^APPEND /i, nth, do: "cut before" }),
  (nth) => ({ on: /^APPEND /i, nth, do: "cut before answer" }),
  (nth) => ({ on: /^APPEND /i, nth, do: "cut in literal", after: 700 }),
  (nth) => ({ on: /^UID FETCH .*BODY/i, nth, do: "cut before answer" }),
  (nth) => ({ on: /^(SELECT|EXAMINE) /i, nth, do: "cut after" }),
  (nth) => ({ on: /^(LOGIN|AUTHENTICATE) /i, nth, do: "cut before" }),
];

function one({ old, fresh }: House, dice: Dice): [Side, string] {
  return dice() < 0.5 ? [old, "old"] : [fresh, "new"];
}

/** While nobody types, so that what fails of it is not a person's line. */
function database<Told>(house: House, story: Story, work: () => Promise<Told>): Promise<Told> {
  return house.turns.take(async () => {
    const away = { from: Date.now(), until: Number.POSITIVE_INFINITY };
    story.away.push(away);
    try {
      return await work();
    } finally {
      await house.books.number("select 1");
      away.until = Date.now();
    }
  });
}
