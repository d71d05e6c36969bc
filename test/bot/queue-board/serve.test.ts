import { once } from "node:events";
import { createServer } from "node:http";
import type { BaseAdapter } from "@bull-board/api/baseAdapter";
import { BullMQAdapter } from "@bull-board/api/bullMQAdapter";
import express from "express";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { bullBoard } from "../../../bot/queue-board/board.ts";
import { boardRefusals } from "../../../bot/wording/queue.ts";
import { drawnQueue } from "../../../engine/queues/board.ts";
import { storeOf } from "../../../engine/queues/store.ts";
import { testPace } from "../../contracts/queue-pace.ts";
import { startPostgres } from "../../servers/postgres.ts";
import { type RedisServer, startRedis } from "../../servers/redis.ts";
import { cookieIn, owner, pathOf, type Served, served } from "./served.ts";

const canary = "canary-4711-hunter2";
const minute = 60_000;

let redis: RedisServer;
let it: Served;
beforeAll(async () => {
  redis = await startRedis({ password: canary });
});
afterAll(() => redis[Symbol.asyncDispose]());
beforeEach(async () => {
  await redis.ask("FLUSHALL");
  it = await served(redis.url);
});
afterEach(() => it[Symbol.asyncDispose]());

const press = (link: string, { ask, board } = it) =>
  ask(pathOf(link), { method: "POST", headers: { origin: board.origin } });

describe("a link", () => {
  test("lets its owner in once, with a cookie no script reads and no other site sends", async () => {
    const link = it.board.invite(owner);
    expect(link).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/enter\?token=[\w-]{43}$/);

    const first = await press(link);

    expect(first).toMatchObject({ status: 303, headers: { location: "/" } });
    expect(first.headers["set-cookie"]?.[0]).toMatch(
      /^godwit-queue-\d+=[\w-]{43}; Path=\/; Max-Age=3600; HttpOnly; SameSite=Strict$/,
    );
    const headers = { cookie: cookieIn(first) };
    expect(await it.ask("/", { headers })).toMatchObject({ status: 200 });
    const again = await press(link);
    expect(again).toMatchObject({ status: 403, body: boardRefusals.session });
    expect(again.headers["set-cookie"]).toBeUndefined();
    expect(await it.ask(pathOf(link))).toMatchObject({ status: 403 });
  });

  test("is not used up by whatever looks at links in chats, from other sites too", async () => {
    const link = it.board.invite(owner);
    for (const site of ["none", "cross-site"]) {
      const shown = await it.ask(pathOf(link), { headers: { "sec-fetch-site": site } });
      expect(shown).toMatchObject({ status: 200, body: expect.stringContaining("Open the board") });
      expect(shown.headers["set-cookie"]).toBeUndefined();
    }
    expect((await press(link)).status).toBe(303);
  });

  test("is good for five minutes", async () => {
    const [early, late] = [it.board.invite(owner), it.board.invite(owner)];
    it.advance(5 * minute - 1);
    expect((await press(early)).status, "the control").toBe(303);
    it.advance(1);
    expect(await press(late)).toMatchObject({ status: 403, body: boardRefusals.session });
  });

  test.each(["", "?token=", "?token=wrong", "?token[]=a", "?token=a&token=b"])(
    "that nobody was given lets nobody in: /enter%s",
    async (query) => {
      it.board.invite(owner);
      const headers = { origin: it.board.origin };
      for (const method of ["GET", "POST"]) {
        expect((await it.ask(`/enter${query}`, { method, headers })).status).toBe(403);
      }
    },
  );
});

describe("a session", () => {
  const paths = [
    "/",
    "/queue/runs-1",
    "/api/queues",
    "/api/redis/stats",
    "/static/favicon.ico",
    "/static/js/main.js",
    "/favicon.ico",
    "/nothing",
  ];
  test.each(paths)("is needed for %s", async (path) => {
    for (const cookie of ["", "godwit-queue=x", `godwit-queue-${it.board.port}=x`]) {
      const told = await it.ask(path, { headers: { cookie } });
      expect(told).toMatchObject({ status: 403, body: boardRefusals.session });
      expect(told.body).toContain("Type `queue`");
    }
    const { status } = await it.ask(path, { headers: await it.enter() });
    expect(status, "the control").not.toBe(403);
  });

  test("lasts an hour", async () => {
    const headers = await it.enter();
    it.advance(60 * minute - 1);
    expect((await it.ask("/", { headers })).status, "the control").toBe(200);
    it.advance(1);
    expect(await it.ask("/", { headers })).toMatchObject({ status: 403 });
  });

  test("and a link end when their person is no owner any more", async () => {
    const headers = await it.enter();
    const link = it.board.invite(owner);
    expect((await it.ask("/", { headers })).status, "the control").toBe(200);

    it.owners.delete(owner);

    expect((await it.ask("/", { headers })).status).toBe(403);
    expect((await it.ask("/api/queues", { headers })).status).toBe(403);
    expect((await press(link)).status).toBe(403);
  });

  test("of one board is none of another's", async () => {
    await using other = await served(redis.url);
    const headers = await it.enter();
    const cookie = headers.cookie.replace(String(it.board.port), String(other.board.port));
    expect((await other.ask("/", { headers: { cookie } })).status).toBe(403);
    expect((await press(it.board.invite(owner), other)).status).toBe(403);
  });

  const evil: [why: string, change: Record<string, string>][] = [
    ["another name for this address (DNS rebinding)", { host: "evil.example" }],
    ["another port", { host: "127.0.0.1:1" }],
    ["a page of another site", { origin: "https://evil.example" }],
    ["a page of another port of this machine", { origin: "http://127.0.0.1:1" }],
    ["a frame or file without an origin", { origin: "null" }],
    ["what the browser says is another site", { "sec-fetch-site": "cross-site" }],
  ];
  test.each(evil)("is of no use to %s, nor is a link", async (_, change) => {
    const headers = await it.enter();
    const link = it.board.invite(owner);
    expect((await it.ask("/api/queues", { headers: { ...headers, ...change } })).status).toBe(403);
    const pressed = { method: "POST", headers: { origin: it.board.origin, ...change } };
    expect((await it.ask(pathOf(link), pressed)).status).toBe(403);

    expect((await press(link)).status, "the control").toBe(303);
    expect((await it.ask("/api/queues", { headers })).status, "the control").toBe(200);
  });
});

describe("nothing can be changed", () => {
  const changes: [method: string, path: string][] = [
    ["POST", "/api/queues/runs-1/add"],
    ["PUT", "/api/queues/runs-1/pause"],
    ["PUT", "/api/queues/runs-1/empty"],
    ["PUT", "/api/queues/runs-1/obliterate"],
    ["PUT", "/api/queues/runs-1/retry/failed"],
    ["PUT", "/api/queues/runs-1/run-1/clean"],
    ["PATCH", "/api/queues/runs-1/run-1/update-data"],
    ["DELETE", "/api/queues/runs-1/run-1"],
    ["OPTIONS", "/api/queues"],
    ["PUT", "/enter"],
  ];
  test.each(changes)("by %s %s, whoever asks", async (method, path) => {
    await it.queue.ring(1, 1);
    const body = JSON.stringify({ name: "run", data: { run: 2 }, options: {} });
    const headers = { ...(await it.enter()), "content-type": "application/json" };

    const told = await it.ask(path, { method, headers, body });

    expect(told).toMatchObject({ status: 405, headers: { allow: "GET" } });
    expect(told.body).toBe(boardRefusals.changing);
    expect(await it.queue.depth()).toEqual({ waiting: 1, active: 0 });
  });

  test("where our own guard would fail: Bull Board refuses by itself", async () => {
    await using drawn = drawnQueue(redis.url, testPace);
    const { queue, end } = storeOf(redis.url, testPace).bare();
    await using _bare = { [Symbol.asyncDispose]: end };
    const add = async (adapter: BaseAdapter) => {
      const board = bullBoard(() => {});
      board.draw(adapter);
      const server = createServer(express().use(board.app)).listen(0);
      await once(server, "listening");
      const { port } = server.address() as { port: number };
      const { status } = await fetch(`http://127.0.0.1:${port}/api/queues/runs-1/add`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ name: "run", data: { run: 2 }, options: {} }),
      });
      const closed = once(server, "close");
      server.close();
      server.closeAllConnections();
      await closed;
      return status;
    };

    expect(await add(await drawn.adapter())).toBe(405);
    expect(await it.queue.depth()).toEqual({ waiting: 0, active: 0 });
    expect(await add(new BullMQAdapter(queue)), "the control").toBe(200);
    expect(await it.queue.depth()).toEqual({ waiting: 1, active: 0 });
  });
});

test("of a run its number is shown and nothing else, whatever somebody put into the queue", async () => {
  const { queue, end } = storeOf(redis.url, testPace).bare();
  await using _bare = { [Symbol.asyncDispose]: end };
  await it.queue.ring(7, 1);
  await queue.add("run", { run: 8, password: canary });
  await queue.add("run", { mail: canary });
  expect(JSON.stringify(await queue.getJobs(["waiting"])), "the control").toContain(canary);

  const headers = await it.enter();
  const { body } = await it.ask("/api/queues?activeQueue=runs-1&page=1", { headers });

  const [shown] = (JSON.parse(body) as { queues: { jobs: { data: unknown }[] }[] }).queues;
  expect(shown?.jobs.map(({ data }) => data)).toEqual(
    expect.arrayContaining([{ run: 7 }, { run: 8 }, { run: null }]),
  );
  const more = ["/", "/api/redis/stats", "/api/queues/runs-1/workers", "/api/queues/runs-1/run-7"];
  const answers = await Promise.all(more.map((path) => it.ask(path, { headers })));
  expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200]);
  expect(body + JSON.stringify(answers)).not.toContain(canary);
});

test("every answer forbids scripts, frames and connections of others, and is kept nowhere", async () => {
  const headers = await it.enter();
  const link = pathOf(it.board.invite(owner));
  for (const path of ["/", link, "/api/queues", "/static/favicon.ico", "/nothing"]) {
    const answer = await it.ask(path, { headers });
    const policy = String(answer.headers["content-security-policy"]);
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain("frame-ancestors 'none'");
    expect(policy).not.toMatch(/unsafe|\*|https?:/);
    expect(answer.headers).toMatchObject({
      "x-content-type-options": "nosniff",
      "referrer-policy": "same-origin",
      "cache-control": "no-store",
    });
    expect(answer.headers["x-powered-by"]).toBeUndefined();
  }
});

test("behind a proxy that speaks TLS the cookie is for it alone, whichever host the proxy names", async () => {
  const origin = "https://queue.example";
  await using outside = await served(redis.url, { url: origin });
  const { ask, board } = outside;
  const link = board.invite(owner);
  expect(link.startsWith(`${origin}/enter?token=`)).toBe(true);

  const told = await ask(pathOf(link), { method: "POST", headers: { origin } });

  expect(told.headers["set-cookie"]?.[0]).toMatch(
    /^__Host-godwit-queue-\d+=[\w-]{43}; Path=\/; Max-Age=3600; HttpOnly; SameSite=Strict; Secure$/,
  );
  const cookie = cookieIn(told);
  const inside = `127.0.0.1:${board.port}`;
  for (const host of ["queue.example", inside]) {
    expect((await ask("/", { headers: { cookie, host, origin } })).status).toBe(200);
  }
  const foreign = { cookie, host: "queue.example", origin: `http://${inside}` };
  expect((await ask("/", { headers: foreign })).status).toBe(403);
});

test("a queue that does not answer is said, without the words of an SDK, until it does", async () => {
  const headers = await it.enter();
  const ask = async () => {
    const { status, body } = await it.ask("/api/queues", { headers });
    return { status, body };
  };
  expect(await ask(), "the control").toMatchObject({ status: 200 });
  await redis.kill();

  const { status, body } = await ask();

  expect({ status, body: JSON.parse(body) }).toEqual({
    status: 500,
    body: {
      error: { key: "ERRORS.INTERNAL_SERVER_ERROR" },
      message: "That went wrong; the log says more.",
    },
  });
  await redis.start();
  await expect.poll(ask, { timeout: 10_000 }).toMatchObject({ status: 200 });
});

test("a port that another has is refused by the name of its variable", async () => {
  await expect(served(redis.url, { port: it.board.port })).rejects.toThrow(
    /^GODWIT_BOARD_PORT cannot be listened on .*\(EADDRINUSE\); nothing was started\. Set it to/,
  );
});

test("a queue on PostgreSQL is shown as well, once it is there", async () => {
  await using postgres = await startPostgres();
  const url = await postgres.fresh();
  await using drawn = drawnQueue(url, testPace);
  await expect(drawn.adapter()).rejects.toThrow();
  await using there = await served(url);
  const headers = await there.enter();
  await there.queue.ring(5, 1);
  expect(await (await drawn.adapter()).getJobCounts()).toMatchObject({ prioritized: 1 });

  const { body } = await there.ask("/api/queues?activeQueue=runs-1", { headers });
  const stats = await there.ask("/api/redis/stats", { headers });

  expect(JSON.parse(body)).toMatchObject({ queues: [{ jobs: [{ data: { run: 5 } }] }] });
  expect(JSON.parse(stats.body)).toMatchObject({ backend: "postgres" });
});
