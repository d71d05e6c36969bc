import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { call, type Json } from "./slack-methods.ts";
import { type SlackPerson, slackPerson } from "./slack-person.ts";
import { type SocketSide, socketSide } from "./slack-socket.ts";
import { giveTrigger, next, nextTs, type SlackState, slackState } from "./slack-state.ts";
import type { SlackWire } from "./slack-wire.ts";

/** A call of the Web API as it came. */
export interface Asked {
  method: string;
  args: Json;
  /** By the kind of body and by the token: `form xoxb-…`. */
  how: string;
}

export interface Failure {
  /** The method, or `response` for an answer by its address. */
  on: string;
  /** How it fails; `drop` cuts the connection. */
  with: { error: string } | { status: number; retryAfter?: number } | "drop";
  /** It is done all the same. */
  after?: boolean;
  times?: number;
}

/** A workspace with a Web API, Socket Mode and answers by address, and what a test does to it. */
export interface FakeSlack extends AsyncDisposable {
  /** For SLACK_API_URL. */
  apiUrl: string;
  state: SlackState;
  socket: SocketSide;
  asked: Asked[];
  fail(failure: Failure): void;
  person(user: string, wire?: SlackWire): SlackPerson;
}

export const botToken = "xoxb-bot-token-4711";
export const appToken = "xapp-app-token-4711";

export async function startFakeSlack(now: () => number = Date.now): Promise<FakeSlack> {
  const state = slackState(now);
  const asked: Asked[] = [];
  const failures: Failure[] = [];
  let url = "";

  /** The failure meant for this call, if any; each is used up. */
  const failing = (name: string): Failure | undefined => {
    const at = failures.findIndex(({ on }) => on === name);
    const found = failures[at];
    if (found?.times === undefined) return found;
    found.times -= 1;
    if (found.times === 0) failures.splice(at, 1);
    return found;
  };

  const api = async (name: string, request: IncomingMessage, response: ServerResponse) => {
    const { args, token, how } = await argsOf(request);
    asked.push({ method: name, args, how: `${how} ${token}` });
    const failure = failing(name);
    const done = () => answer(name, token, args);
    if (failure === undefined) return json(response, 200, done());
    if (failure.after === true) done();
    if (failure.with === "drop") return void request.socket.destroy();
    if ("error" in failure.with)
      return json(response, 200, { ok: false, error: failure.with.error });
    const { status, retryAfter } = failure.with;
    const wait: Record<string, string> =
      retryAfter === undefined ? {} : { "retry-after": String(retryAfter) };
    return json(response, status, { ok: false, error: "ratelimited" }, wait);
  };

  const answer = (name: string, token: string, args: Json): Json => {
    if (token === "") return { ok: false, error: "not_authed" };
    if (name === "apps.connections.open") {
      if (token !== appToken) return { ok: false, error: "invalid_auth" };
      return { ok: true, url: `${url.replace("http", "ws")}/link` };
    }
    if (token !== botToken) return { ok: false, error: "invalid_auth" };
    return call(name, args, state, url);
  };

  /** An answer by its address: five uses within half an hour. */
  const respond = async (id: string, request: IncomingMessage, response: ServerResponse) => {
    const args = JSON.parse(await bodyText(request)) as Json;
    asked.push({ method: "response", args, how: "json" });
    const failure = failing("response");
    if (failure !== undefined && failure.with !== "drop" && "status" in failure.with) {
      return json(response, failure.with.status, {});
    }
    const given = state.responses.get(id);
    if (given === undefined || given.left === 0 || state.now() >= given.until) {
      return json(response, 404, { ok: false, error: "expired_url" });
    }
    given.left -= 1;
    const { user, channel } = given;
    if (args.response_type === "in_channel") return json(response, 500, {});
    const said = call(
      "chat.postEphemeral",
      { ...args, channel, user },
      withMember(state, channel),
      url,
    );
    return json(response, said.ok === true ? 200 : 400, said);
  };

  const server = createServer((request, response) => {
    const [, first = "", second = ""] = (request.url ?? "").split("/");
    void route(first, second).catch(() => json(response, 500, {}));

    async function route(what: string, name: string): Promise<void> {
      if (what === "api") return api(name, request, response);
      if (what === "respond") return respond(name, request, response);
      const file = state.files.find(({ id }) => id === name);
      if (file === undefined) return json(response, 404, {});
      if (what === "upload") {
        file.bytes = await uploaded(request);
        file.content = file.bytes.toString("utf8");
        return json(response, 200, {});
      }
      if (request.headers.authorization !== `Bearer ${botToken}`) return json(response, 302, {});
      response.end(file.bytes ?? file.content);
    }
  });
  const socket = socketSide(server);
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

  return {
    apiUrl: `${url}/api/`,
    state,
    socket,
    asked,
    fail: (failure) => void failures.push(failure),
    person: (user, wire = socket.wire) =>
      slackPerson({
        user,
        channel: "C0ACME",
        direct: state.channels.find(({ direct }) => direct === user)?.id ?? "D0NONE",
        wire,
        bot: state.bot.user,
        handed: {
          trigger: (who) => giveTrigger(state, who),
          responseUrl(who, channel) {
            const id = next(state, "R");
            state.responses.set(id, { user: who, channel, until: now() + 30 * 60_000, left: 5 });
            return `${url}/respond/${id}`;
          },
          id: () => nextTs(state).replace(".", ""),
        },
      }),
    async [Symbol.asyncDispose]() {
      socket.close();
      server.closeAllConnections();
      await new Promise((done) => server.close(done));
    },
  };
}

/** An answer by address reaches a channel that the bot is not in. */
function withMember(state: SlackState, channel: string): SlackState {
  const channels = state.channels.map((one) =>
    one.id === channel ? { ...one, member: true } : one,
  );
  return {
    ...state,
    channels,
    get count() {
      return state.count;
    },
    set count(value) {
      state.count = value;
    },
  };
}

async function argsOf(
  request: IncomingMessage,
): Promise<{ args: Json; token: string; how: string }> {
  const text = await bodyText(request);
  const bearer = (request.headers.authorization ?? "").replace(/^Bearer /, "");
  if ((request.headers["content-type"] ?? "").startsWith("application/json")) {
    return { args: JSON.parse(text) as Json, token: bearer, how: "json" };
  }
  const { token = bearer, ...given } = Object.fromEntries(new URLSearchParams(text));
  const args = Object.fromEntries(
    Object.entries(given).map(([name, value]) => [name, nested(name, value)]),
  );
  return { args, token, how: "form" };
}

/** What is nested comes as JSON in a form. */
function nested(name: string, value: string): unknown {
  if (value === "true" || value === "false") return value === "true";
  return ["blocks", "view", "metadata", "files"].includes(name) ? JSON.parse(value) : value;
}

/** A file comes as it is or as a form of one part. */
async function uploaded(request: IncomingMessage): Promise<Buffer> {
  const { "content-type": type = "" } = request.headers;
  const body = await bodyOf(request);
  if (!type.startsWith("multipart/")) return body;
  const form = await new Response(new Uint8Array(body), {
    headers: { "content-type": type },
  }).formData();
  const [part] = [...form.values()];
  return part instanceof File ? Buffer.from(await part.arrayBuffer()) : Buffer.alloc(0);
}

async function bodyText(request: IncomingMessage): Promise<string> {
  return (await bodyOf(request)).toString("utf8");
}

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part as Buffer);
  return Buffer.concat(parts);
}

function json(
  response: ServerResponse,
  status: number,
  body: Json,
  headers: Record<string, string> = {},
): void {
  response.writeHead(status, { "content-type": "application/json", ...headers });
  response.end(JSON.stringify(body));
}
