import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import type { Incoming } from "../../bot/surface.ts";
import { boardRefusals, queueMessage } from "../../bot/wording/queue.ts";
import { bullmqQueue } from "../../engine/queues/bullmq.ts";
import { testPace } from "../contracts/queue-pace.ts";
import { type ChatWorld, chatWorld } from "../doubles/chat-world.ts";
import { openCommandLine } from "../servers/command-line.ts";
import { freePort, startPostgres } from "../servers/postgres.ts";
import { type RedisServer, startRedis } from "../servers/redis.ts";

let world: ChatWorld;
afterEach(() => world?.[Symbol.asyncDispose]());

const invited: string[] = [];
const board = {
  invite(person: string) {
    invited.push(person);
    return `https://queue.example/enter?token=of-${person}`;
  },
};

test("a queue in this process is told with its depth, and has no board", async () => {
  world = await chatWorld({ people: ["anna", "bob"] });
  await world.say("verify");

  const [said] = (await world.say("queue")).lines;

  expect(said).toMatchObject({ kind: "private", for: "local:owner" });
  expect(said?.text).toBe(
    [
      "The queue is in this process.",
      "in the database: 2 runs wait, 0 begun",
      "in the queue: 2 rings wait, 0 being answered",
      "The queue only rings; the database keeps every run.",
      "It has no board to look at. With QUEUE_URL and GODWIT_BOARD_PORT it has one; see docs/operate.md.",
    ].join("\n"),
  );
});

test("what holds runs up is told, the quiet time of a batch in doubt too", () => {
  const { text } = queueMessage(
    { keeper: "this process", rings: null, runs: { waiting: 1, active: 2, held: 3 } },
    "unset",
  );
  expect(text).toContain(
    "1 run waits, 2 begun, 3 held up by a server, their hours, the quiet time of a batch in doubt or one that goes first",
  );
});

test("more words than one are refused", async () => {
  world = await chatWorld();
  expect(await world.hear("queue empty")).toBe("Nothing was done. Type `queue` alone.");
});

describe("a queue between processes", () => {
  let redis: RedisServer;
  beforeAll(async () => {
    redis = await startRedis({ password: "canary-hunter2" });
  });
  afterAll(() => redis[Symbol.asyncDispose]());

  const silent = { info() {}, warn() {} };
  const shared = (change: Parameters<typeof chatWorld>[0] = {}) =>
    chatWorld({
      people: ["anna"],
      queue: bullmqQueue(redis.url, silent, testPace),
      ...change,
    });

  test("is told with a link of the owner's own, privately", async () => {
    world = await shared({ board });
    await world.say("verify");

    const [said] = (await world.say("queue")).lines;

    expect(said).toMatchObject({ kind: "private", for: "local:owner" });
    expect(said?.text).toMatch(/^The queue is in Redis, which answers\.$/m);
    expect(said?.text).toMatch(/^in the database: 1 run waits, 0 begun$/m);
    expect(said?.text).toMatch(/^in Redis: 1 ring waits, 0 being answered$/m);
    const url = "https://queue.example/enter?token=of-local:owner";
    expect(said?.text).toContain(`\`${url}\``);
    expect(said?.extra.link).toEqual({ label: "Open the queue's board", url });
    expect(said?.text).toMatch(/five minutes, once/);
    expect(JSON.stringify(await world.lines())).not.toContain("canary-hunter2");
  });

  test.each([
    ["is not served", "unset", /Whoever runs Godwit can set GODWIT_BOARD_PORT/],
    ["is another process's", "elsewhere", /served by `serve` and `bot`/],
  ] as const)("whose board %s has no link, and says why", async (_, at, why) => {
    world = await shared(at === "unset" ? {} : { board: at });
    const text = await world.hear("queue");
    expect(text).toMatch(why);
    expect(text).not.toMatch(/https?:/);
  });

  test("gives nobody else a link: no operator, no project's owner, no guest", async () => {
    world = await shared({ board });
    invited.length = 0;
    await world.say("roles grant bo operator");
    await world.say("roles grant cy owner");
    const as = (id: string, guest = false) =>
      ({ person: { id: `local:${id}`, name: id, guest } }) satisfies Partial<Incoming>;
    for (const who of [as("stranger"), as("bo"), as("cy"), as("owner", true)]) {
      const { result, lines } = await world.say("queue", who);
      expect(result).toBe("refused");
      expect(lines.at(-1)?.text).toMatch(
        /`queue` (is for those who stand in GODWIT_OWNERS|needs the role owner, and guests)/,
      );
    }
    expect(invited).toEqual([]);

    await world.say("queue");
    expect(invited, "the control").toEqual(["local:owner"]);
  });

  test("that does not answer is said, and that nothing is lost", async () => {
    world = await shared();
    await world.say("verify");
    redis.freeze();
    try {
      const [said] = (await world.say("queue")).lines;
      expect(said?.text).toMatch(/^The queue is in Redis, which does not answer\.$/m);
      expect(said?.text).toMatch(/^in the database: 1 run waits/m);
      expect(said?.text).toMatch(/Nothing is lost: the database keeps every run/);
      expect(said?.extra.tone).toBe("warning");
    } finally {
      redis.thaw();
    }
  });
});

test("`bot` serves the board and gives the way in, and `engine` does neither", async () => {
  await using postgres = await startPostgres();
  const url = await postgres.fresh();
  const port = await freePort();
  await using line = await openCommandLine({
    DATABASE_URL: url,
    QUEUE_URL: url,
    GODWIT_KEYS: `k1:${Buffer.alloc(32, 7).toString("base64")}`,
    GODWIT_BOARD_PORT: String(port),
  });
  const origin = `http://127.0.0.1:${port}`;
  const bot = line.start(["bot", "--no-page"]);
  await bot.says(`The queue's board is at ${origin}; type \`queue\` for the way in.`);
  const engine = line.start(["engine"]);
  await engine.says("A Godwit engine carries for");

  bot.type("queue");
  await bot.says(/`http[^`]+`/);
  const stranger = await fetch(origin);
  expect([stranger.status, await stranger.text()]).toEqual([403, boardRefusals.session]);
  bot.kill("SIGTERM");
  engine.kill("SIGTERM");
  const { code, stdout } = await bot.ended;

  expect(stdout).toMatch(/The queue is in PostgreSQL, which answers/);
  expect(stdout).toMatch(new RegExp(`\`${origin}/enter\\?token=[\\w-]{43}\``));
  expect(code).toBe(0);
  expect((await engine.ended).stdout).not.toContain("board");
});
