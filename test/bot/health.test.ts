import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { connect } from "node:net";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Health, serveHealth } from "../../bot/health.ts";
import { prometheusMetrics } from "../../bot/metrics.ts";
import { wallClock } from "../../engine/domain/clock.ts";
import { presets } from "../../engine/domain/policy.ts";
import type { Vitals } from "../../engine/domain/vitals.ts";
import { endpoint } from "../contracts/books.ts";
import { openBooks } from "../db/books.ts";
import { type MemoryWorld, memoryWorld } from "../doubles/memory-world.ts";
import { letter } from "../doubles/twisted.ts";
import { openCommandLine } from "../servers/command-line.ts";
import { openGate } from "../servers/gate.ts";
import { freePort, type Postgres, startPostgres } from "../servers/postgres.ts";
import { type RedisServer, startRedis } from "../servers/redis.ts";

const host = "127.0.0.1";
const silent = { warn() {} };

interface Watching {
  vitals: Vitals;
  clock?: Parameters<typeof prometheusMetrics>[1];
  queue?: { serves: boolean };
  port?: number;
}

async function watched(options: Watching): Promise<Health> {
  const { vitals, clock = wallClock, queue = { serves: true }, port = 0 } = options;
  const queueServes = () => queue.serves;
  const own = { version: "1.2.3", carrying: () => 3, queueServes };
  const metrics = prometheusMetrics(own, clock);
  const health = await serveHealth({
    ...{ vitals, metrics, queueServes, host, port, clock, log: silent },
  });
  health.stance("open");
  return health;
}

async function ask({ port }: Pick<Health, "port">, path: string, method = "GET") {
  const answer = await fetch(`http://${host}:${port}${path}`, { method });
  return { status: answer.status, headers: answer.headers, text: await answer.text() };
}

/** The samples by name and labels, as Prometheus reads them. */
function samples(text: string): Map<string, number> {
  const sample =
    /^([a-z_:][a-z0-9_:]*(?:\{[a-z_]+="[^"\\\n]*"(?:,[a-z_]+="[^"\\\n]*")*\})?) (\S+)$/;
  const lines = text.split("\n").filter((line) => line !== "" && !line.startsWith("# "));
  const read = lines.map((line) => sample.exec(line));
  expect(
    lines.filter((_, at) => read[at] === null),
    "lines that cannot be read",
  ).toEqual([]);
  return new Map(read.map((match) => [match![1]!, Number(match![2])]));
}

describe("who watches", () => {
  let world: MemoryWorld;
  beforeAll(async () => {
    world = await memoryWorld();
    const { desk } = world.godwit;
    const far = await desk.projects.addEndpoint({
      ...endpoint("canary-endpoint"),
      ...{ host: "canary-host.example", masterUser: "canary-user" },
    });
    await desk.projects.create({
      name: "canary-project",
      ...{ sourceEndpoint: far.id, targetEndpoint: far.id },
      ...{ policy: presets.rackspace, zone: "Europe/Berlin" },
    });
    await world.add("canary-anna", "canary-bo");
    for (const n of [1, 2, 3]) world.system.deliver("canary-anna@old", "INBOX", letter(n));
    world.system.deliver("canary-bo@old", "INBOX", letter(4));
    await world.pass("full");
    world.system.deliver("canary-bo@old", "INBOX", letter(5));
    await world.pass("delta");
  });
  afterAll(() => world[Symbol.asyncDispose]());

  test("hears that the process lives, and whether it may be given work", async () => {
    const queue = { serves: true };
    await using health = await watched({ vitals: world.godwit.vitals, queue });

    expect(await ask(health, "/healthz")).toMatchObject({ status: 200, text: "ok\n" });
    const ready = "process ok\ndatabase ok\nqueue ok\n";
    expect(await ask(health, "/readyz")).toMatchObject({ status: 200, text: ready });
    queue.serves = false;
    const lost = expect.stringMatching(/^queue fails; .*engines look by themselves$/m);
    expect(await ask(health, "/readyz")).toMatchObject({ status: 200, text: lost });
    health.stance("closing");
    const closes = expect.stringMatching(/^process closes$/m);
    expect(await ask(health, "/readyz")).toMatchObject({ status: 503, text: closes });
    expect(await ask(health, "/healthz")).toMatchObject({ status: 200 });
  });

  test("reads the figures of the database after its passes, and of this process", async () => {
    const { vitals, desk } = world.godwit;
    await using health = await watched({ vitals, clock: world.clock });

    const { status, headers, text } = await ask(health, "/metrics");

    expect(status).toBe(200);
    expect(headers.get("content-type")).toMatch(/^text\/plain; version=0\.0\.4/);
    const read = samples(text);
    const passes = await desk.passes.recent(world.project.id, 10);
    const carried = (key: "bytes" | "migrated" | "duplicates") =>
      passes.reduce((sum, { counters }) => sum + counters[key], 0);
    expect(carried("migrated"), "the control").toBe(5);
    expect(Object.fromEntries(read)).toMatchObject({
      'godwit_build_info{version="1.2.3"}': 1,
      godwit_database_up: 1,
      godwit_queue_up: 1,
      godwit_runs_active: 3,
      'godwit_passes{kind="full",state="completed"}': 1,
      'godwit_passes{kind="delta",state="completed"}': 1,
      'godwit_passes{kind="full",state="failed"}': 0,
      godwit_runs_waiting: 0,
      godwit_runs_begun: 0,
      'godwit_waits{reason="connection_limit"}': 0,
      'godwit_items_total{outcome="migrated"}': carried("migrated"),
      'godwit_items_total{outcome="duplicates"}': carried("duplicates"),
      'godwit_items_total{outcome="not_carried"}': 0,
      godwit_bytes_total: carried("bytes"),
      'godwit_licenses{state="consumed"}': 2,
      'godwit_licenses{state="free"}': 8,
      godwit_news_oldest_seconds: 0,
    });
    expect(read.get("godwit_news_undelivered")).toBeGreaterThan(0);
    expect(read.get("godwit_process_resident_memory_bytes")).toBeGreaterThan(0);
  });

  test("hears of every figure that docs/operate.md watches", async () => {
    const guide = await readFile(new URL("../../docs/operate.md", import.meta.url), "utf8");
    const [, alerts = ""] = /^```\n(- alert:.*?)^```/ms.exec(guide) ?? [];
    const named = new Set(alerts.match(/\bgodwit_\w+/g));
    expect([...named]).toContain("godwit_runs_begun");
    await using health = await watched({ vitals: world.godwit.vitals });

    const told = samples((await ask(health, "/metrics")).text);

    expect([...named].filter((name) => !told.has(name))).toEqual([]);
  });

  test("sees how long the oldest news waits, by the clock", async () => {
    const { vitals } = world.godwit;
    const later = { ...world.clock, now: () => world.clock.now() + 90_000 };
    await using health = await watched({ vitals, clock: later });

    const read = samples((await ask(health, "/metrics")).text);

    expect(read.get("godwit_news_oldest_seconds")).toBe(90);
  });

  test("is told nobody's name", async () => {
    const secret = /canary|acme|masterpass|Europe/;
    const { vitals, desk } = world.godwit;
    await using health = await watched({ vitals });
    const projects = JSON.stringify(await desk.passes.recent(world.project.id, 1));
    expect(projects, "the control").toMatch(secret);

    for (const path of ["/healthz", "/readyz", "/metrics", "/canary"]) {
      const { text, headers } = await ask(health, path);
      expect(JSON.stringify([text, ...headers])).not.toMatch(secret);
    }
  });

  test.each([
    ["/", "GET", 404],
    ["/metrics/", "GET", 404],
    ["/healthz/../metrics%00", "GET", 404],
    ["/__proto__", "GET", 404],
    ["/nothing", "POST", 404],
    ["/healthz", "POST", 405],
    ["/readyz", "HEAD", 405],
    ["/metrics", "DELETE", 405],
    ["/metrics?name[]=up", "GET", 200],
  ])("who asks %s by %s is answered %i", async (path, method, status) => {
    await using health = await watched({ vitals: world.godwit.vitals });
    const answer = await ask(health, path, method);
    expect(answer.status).toBe(status);
    expect(answer.headers.get("set-cookie")).toBeNull();
    if (status === 405) expect(answer.headers.get("allow")).toBe("GET");
  });

  test("a port that another has is refused by the name of its variable", async () => {
    const { vitals } = world.godwit;
    await using health = await watched({ vitals });
    await expect(watched({ vitals, port: health.port })).rejects.toThrow(
      /^GODWIT_HEALTH_PORT cannot be listened on .*\(EADDRINUSE\); nothing was started\. Set it to/,
    );
  });

  test("of what is sent along nothing is waited for", async () => {
    await using health = await watched({ vitals: world.godwit.vitals });
    const socket = connect(health.port, host);
    let heard = "";
    socket.on("data", (some) => {
      heard += some;
    });
    const closed = once(socket, "close");

    socket.write("GET /healthz HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000000\r\n\r\nfirst");

    await closed;
    expect(heard).toMatch(/^HTTP\/1\.1 200 OK\r\n.*\r\n\r\nok\n$/s);
  });

  test("many that ask at once ask the database once, and again after a second", async () => {
    let asked = 0;
    const figures = () => {
      asked += 1;
      return world.godwit.vitals.figures();
    };
    let now = world.clock.now();
    const clock = { ...world.clock, now: () => now };
    await using health = await watched({ vitals: { ...world.godwit.vitals, figures }, clock });

    await Promise.all(Array.from({ length: 20 }, () => ask(health, "/metrics")));
    now += 999;
    await ask(health, "/metrics");
    expect(asked).toBe(1);
    now += 1;
    await ask(health, "/metrics");
    expect(asked).toBe(2);
  });

  test("sees no counter go back while a run that was taken up again counts anew", async () => {
    const { vitals } = world.godwit;
    const figures = await vitals.figures();
    let failed = 7;
    const told = async () => ({ ...figures, items: { ...figures.items, failed } });
    await using health = await watched({ vitals: { ...vitals, figures: told }, clock: ticking() });
    const read = async () =>
      samples((await ask(health, "/metrics")).text).get('godwit_items_total{outcome="failed"}');
    expect(await read()).toBe(7);

    failed = 2;
    expect(await read()).toBe(7);
    failed = 8;
    expect(await read()).toBe(8);
  });

  /** A second later whenever it is looked at. */
  function ticking() {
    let now = 0;
    return {
      ...world.clock,
      now: () => {
        now += 1_000;
        return now;
      },
    };
  }
});

describe("a database on another machine", () => {
  let server: Postgres;
  beforeAll(async () => {
    server = await startPostgres();
  });
  afterAll(() => server[Symbol.asyncDispose]());

  test.each(["silence", "cut"] as const)(
    "that is gone (%s) makes not ready within three seconds, and ready when it is back",
    async (how) => {
      const url = new URL(await server.fresh());
      await using gate = await openGate({ host, port: Number(url.port) });
      url.port = String(gate.port);
      await using books = await openBooks(url.href);
      await using health = await watched({ vitals: books.vitals });
      expect(await ask(health, "/readyz")).toMatchObject({ status: 200 });

      gate[how]();
      const since = performance.now();
      const fails = expect.stringMatching(/^database fails/m);
      expect(await ask(health, "/readyz")).toMatchObject({ status: 503, text: fails });
      expect(performance.now() - since).toBeLessThan(3_000);
      expect(await ask(health, "/healthz")).toMatchObject({ status: 200 });
      if (how === "cut") {
        const { status, text } = await ask(health, "/metrics");
        const read = samples(text);
        expect([status, read.get("godwit_database_up")]).toEqual([200, 0]);
        expect(read.has("godwit_runs_waiting"), "not told as nought").toBe(false);
      }

      gate.open();
      const back = async () => (await ask(health, "/readyz")).status;
      await expect.poll(back, { timeout: 5_000 }).toBe(200);
      const read = samples((await ask(health, "/metrics")).text);
      expect(read.get("godwit_database_up")).toBe(1);
    },
  );

  describe("with a queue", () => {
    let redis: RedisServer;
    beforeAll(async () => {
      redis = await startRedis();
    });
    afterAll(() => redis[Symbol.asyncDispose]());

    test("an engine is watched, ready without its queue too, and listens no more once it ended", async () => {
      const port = await freePort();
      await using line = await openCommandLine({
        DATABASE_URL: await server.fresh(),
        QUEUE_URL: redis.url,
        GODWIT_KEYS: `k1:${Buffer.alloc(32, 7).toString("base64")}`,
        GODWIT_HEALTH_PORT: String(port),
      });
      const engine = line.start(["engine"]);
      await engine.says(`Watched at http://127.0.0.1:${port}/healthz`);
      const ready = async () => (await ask({ port }, "/readyz")).text;
      await expect.poll(ready).toBe("process ok\ndatabase ok\nqueue ok\n");
      expect(await ask({ port }, "/healthz")).toMatchObject({ status: 200, text: "ok\n" });

      await redis.kill();
      await expect.poll(ready, { timeout: 5_000 }).toMatch(/^queue fails/m);
      expect(await ask({ port }, "/readyz")).toMatchObject({ status: 200 });
      const read = samples((await ask({ port }, "/metrics")).text);
      expect(read.get("godwit_queue_up")).toBe(0);
      expect(read.get("godwit_database_up")).toBe(1);

      await redis.start();
      await expect.poll(ready, { timeout: 10_000 }).toMatch(/^queue ok$/m);
      engine.kill("SIGTERM");
      expect(await engine.ended).toMatchObject({ code: 0 });
      await expect(ask({ port }, "/healthz")).rejects.toThrow();
    });
  });
});
