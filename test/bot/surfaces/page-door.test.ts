import { request } from "node:http";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Incoming } from "../../../bot/surface.ts";
import { type Page, servePage } from "../../../bot/surfaces/local/page/serve.ts";
import { wallClock } from "../../../engine/domain/clock.ts";
import { type ChatWorld, chatWorld } from "../../doubles/chat-world.ts";

let world: ChatWorld;
let page: Page;
let heard: Incoming[];

beforeEach(async () => {
  world = await chatWorld();
  heard = [];
  page = await servePage({
    transcript: world.desk.transcript,
    handle: async (incoming) => {
      heard.push(incoming);
      return { untold: null };
    },
    port: 0,
    clock: wallClock,
    log: { error() {} },
    lookMs: 20,
  });
});
afterEach(async () => {
  await page[Symbol.asyncDispose]();
  await world[Symbol.asyncDispose]();
});

interface Answer {
  status: number;
  headers: Record<string, string | string[] | undefined>;
  body: string;
}

/** A request as anything might send it; fetch would not let us say which host. */
function ask(
  path: string,
  options: { method?: string; headers?: Record<string, string>; body?: string } = {},
): Promise<Answer> {
  const { port } = new URL(page.url);
  const { method = "GET", headers = {}, body } = options;
  return new Promise((resolve, reject) => {
    const sent = request(
      { host: "127.0.0.1", port, path, method, headers: { host: `127.0.0.1:${port}`, ...headers } },
      (response) => {
        let text = "";
        response.on("data", (part) => {
          text += part;
        });
        response.on("end", () =>
          resolve({ status: response.statusCode ?? 0, headers: response.headers, body: text }),
        );
      },
    );
    sent.on("error", reject);
    sent.end(body);
  });
}

async function enter(): Promise<Record<string, string>> {
  const { pathname, search, origin } = new URL(page.url);
  const { headers } = await ask(pathname + search);
  const [set = ""] = headers["set-cookie"] ?? [];
  return { cookie: set.split(";")[0] ?? "", origin, "content-type": "application/json" };
}

const help = JSON.stringify({
  id: "7f9c24e8-3b12-4fef-91e0-a0d2b4f1b1aa",
  as: "owner",
  text: "help",
  thread: null,
  values: null,
});

test("the token opens the page once, and becomes a cookie no script reads and no other site sends", async () => {
  const { pathname, search } = new URL(page.url);
  expect((await ask("/")).status).toBe(403);
  expect((await ask(`${pathname}?token=wrong`)).status).toBe(403);
  const first = await ask(pathname + search);
  expect(first.status).toBe(200);
  expect(first.headers["set-cookie"]?.[0]).toMatch(
    /^godwit-\d+=[\w-]{43}; Path=\/; HttpOnly; SameSite=Strict$/,
  );
  expect((await ask(pathname + search)).status).toBe(403);
});

test("with the cookie and our own origin a line is heard, as a person of the page", async () => {
  const headers = await enter();
  expect((await ask("/say", { method: "POST", headers, body: help })).status).toBe(204);
  expect(heard[0]).toMatchObject({
    text: "help",
    person: { id: "local:owner" },
    capabilities: { readsThisMachine: false },
  });
});

describe("nothing is heard and nothing is shown", () => {
  const evil: [why: string, change: Record<string, string>][] = [
    ["by another name for this address (DNS rebinding)", { host: "evil.example" }],
    ["by another port", { host: "127.0.0.1:1" }],
    ["from a page of another site", { origin: "https://evil.example" }],
    ["from a page of another port of this machine", { origin: "http://127.0.0.1:1" }],
    ["from a frame or file without an origin", { origin: "null" }],
    ["when the browser says it is another site's", { "sec-fetch-site": "cross-site" }],
    ["without the cookie", { cookie: "" }],
    ["with a cookie somebody made up", { cookie: "godwit=x" }],
  ];
  test.each(evil)("%s", async (_, change) => {
    const headers = { ...(await enter()), ...change };
    expect((await ask("/say", { method: "POST", headers, body: help })).status).toBe(403);
    expect((await ask("/lines?as=owner", { headers })).status).toBe(403);
    expect((await ask("/page.js", { headers })).status).toBe(403);
    expect(heard).toEqual([]);
  });

  test("of a post that names no origin at all", async () => {
    const { origin: _, ...headers } = await enter();
    expect((await ask("/say", { method: "POST", headers, body: help })).status).toBe(403);
  });

  const bad: [why: string, change: { type?: string; body: string }, status: number][] = [
    ["a form's encoding", { type: "text/plain", body: help }, 400],
    ["what is no JSON", { body: "{" }, 400],
    ["what is not what the page sends", { body: '{"text":"help"}' }, 400],
    ["somebody who is not of this machine", { body: help.replace("owner", "slack:U1") }, 400],
    [
      "another surface's thread",
      { body: help.replace('"thread":null', '"thread":"slack:C1:1"') },
      400,
    ],
    ["more than is taken", { body: `{"text":"${"x".repeat(7_000_000)}"}` }, 413],
  ];
  test.each(bad)("of %s", async (_, { type, body }, status) => {
    const headers = { ...(await enter()), ...(type === undefined ? {} : { "content-type": type }) };
    expect((await ask("/say", { method: "POST", headers, body })).status).toBe(status);
    expect(heard).toEqual([]);
  });

  test.each(["/../../../package.json", "/..%2f..%2fserve.ts", "/serve.ts", "/.env"])(
    "of files beside the page's own: %s",
    async (path) => {
      expect((await ask(path, { headers: await enter() })).status).toBe(404);
    },
  );
});

test("every answer forbids scripts, frames and connections of others", async () => {
  const headers = await enter();
  for (const path of ["/", "/page.js", "/nothing"]) {
    const answer = await ask(path, { headers });
    const policy = String(answer.headers["content-security-policy"]);
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain("frame-ancestors 'none'");
    expect(policy).not.toMatch(/unsafe|\*/);
    expect(answer.headers["x-content-type-options"]).toBe("nosniff");
    expect(answer.headers["cache-control"]).toBe("no-store");
  }
});

test("where the port is taken the page finds another", async () => {
  const { port } = new URL(page.url);
  await using second = await servePage({
    transcript: world.desk.transcript,
    handle: async () => ({ untold: null }),
    port: Number(port),
    clock: wallClock,
    log: { error() {} },
  });
  expect(new URL(second.url).port).not.toBe(port);
});
