import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { BaseAdapter } from "@bull-board/api/baseAdapter";
import express, { type NextFunction, type Request, type Response } from "express";
import type { Clock } from "../../engine/domain/clock.ts";
import { UserError } from "../../engine/domain/errors.ts";
import { cookieOf, foreign, knockOf } from "../knock.ts";
import type { Log } from "../log.ts";
import { boardDeafText, boardRefusals, unansweredText } from "../wording/queue.ts";
import { type BoardConfig, originOf, ourOrigins } from "./address.ts";
import { boardPolicy, bullBoard } from "./board.ts";
import { type Door, good, openDoor } from "./door.ts";
import { enterPage } from "./enter.ts";

export interface BoardOptions {
  /** What is drawn. Throws where the queue does not answer. */
  adapter(): Promise<BaseAdapter>;
  /** Whether the queue answers, as far as is known. Asks nobody. */
  serves(): boolean;
  /** Asked at each request. */
  mayEnter(person: string): boolean;
  /** Port 0 for any. */
  at: BoardConfig;
  host: string;
  clock: Clock;
  log: Pick<Log, "warn">;
}

/** The queue as owners look at it in a browser. Disposing stops listening. */
export interface QueueBoard extends AsyncDisposable {
  /** Where it listens. */
  port: number;
  /** The address people open. */
  origin: string;
  /** A link that lets this person in, once, within five minutes. Whether they may is asked before, and again. */
  invite(person: string): string;
}

const entrance = "/enter";

/**
 * Serves Bull Board to whoever comes by an invitation, and to nobody else; nothing can be changed there. Throws
 * `UserError` where it cannot listen.
 */
export async function serveQueueBoard(options: BoardOptions): Promise<QueueBoard> {
  const { host, clock, log, mayEnter } = options;
  const server = createServer({ headersTimeout: 5_000, requestTimeout: 15_000 });
  server.maxConnections = 64;
  const at = { ...options.at, port: await listen(server, options.at.port, host) };
  server.on("error", (err) => log.warn({ err }, "the queue's board is not heard"));
  const door = openDoor(mayEnter, clock);
  const origin = originOf(at, host);
  server.on("request", site(door, ourOrigins(at, host), cookieFor(at, origin), options));
  return {
    port: at.port,
    origin,
    invite: (person) => `${origin}${entrance}?token=${door.invite(person)}`,
    async [Symbol.asyncDispose]() {
      const closed = once(server, "close");
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

interface Cookie {
  name: string;
  set(session: string): string;
}

function cookieFor({ port }: BoardConfig, origin: string): Cookie {
  const secure = origin.startsWith("https:");
  // Cookies know no ports: another Godwit of this host has one of its own.
  const name = `${secure ? "__Host-" : ""}godwit-queue-${port}`;
  const kept = `Path=/; Max-Age=${good.session / 1000}; HttpOnly; SameSite=Strict`;
  return { name, set: (session) => `${name}=${session}; ${kept}${secure ? "; Secure" : ""}` };
}

function site(
  door: Door,
  ours: ReadonlyMap<string, readonly string[]>,
  cookie: Cookie,
  { adapter, serves, log }: BoardOptions,
): express.Express {
  const app = express();
  app.disable("x-powered-by");
  app.disable("etag");
  app.use((request, response, next) => {
    response.set(headers);
    const knock = knockOf(request);
    const enters = request.path === entrance;
    // A link in a chat is another site's; what is pressed behind it is ours.
    const opens = enters && request.method === "GET";
    const refused = foreign(opens ? { ...knock, site: undefined } : knock, ours);
    const session = cookieOf(knock, cookie.name);
    if (refused !== null) refuse(response, 403, refused);
    else if (enters) next();
    else if (session === null || !door.admits(session)) refuse(response, 403, "session");
    else if (request.method !== "GET") refuse(response, 405, "changing");
    else if (!serves()) refuse(response, 503, "silent");
    else next();
  });
  app.get(entrance, (request, response) => {
    if (door.invites(tokenOf(request))) response.type("html").send(enterPage);
    else refuse(response, 403, "session");
  });
  app.post(entrance, (request, response) => {
    const session = door.enter(tokenOf(request));
    if (session === null) refuse(response, 403, "session");
    else response.set("Set-Cookie", cookie.set(session)).redirect(303, "/");
  });
  app.all(entrance, (_, response) => refuse(response, 405, "changing"));
  const failed = (err: unknown) => log.warn({ err }, "the queue's board could not answer");
  const board = bullBoard(failed);
  app.use("/api", async (_, response, next) => {
    try {
      board.draw(await adapter());
    } catch (error) {
      failed(error);
      refuse(response, 503, "silent");
      return;
    }
    next();
  });
  app.use(board.app);
  app.use((_: Request, response: Response) => refuse(response, 404, "nothing"));
  app.use((error: unknown, _: Request, response: Response, next: NextFunction) => {
    const { status } = error as { status?: unknown };
    const theirs = typeof status === "number" && status < 500;
    if (!theirs) failed(error);
    if (response.headersSent) next(error);
    else if (theirs) refuse(response, 404, "nothing");
    else response.status(500).type("text").send(unansweredText);
  });
  return app;
}

const headers = {
  "Content-Security-Policy": boardPolicy,
  "X-Content-Type-Options": "nosniff",
  // With none at all a browser would not say whose form was sent.
  "Referrer-Policy": "same-origin",
  "Cross-Origin-Opener-Policy": "same-origin",
  "Cross-Origin-Resource-Policy": "same-origin",
  "Cache-Control": "no-store",
};

function refuse(response: Response, status: number, why: keyof typeof boardRefusals): void {
  if (status === 405) response.set("Allow", "GET");
  response.status(status).type("text").send(boardRefusals[why]);
}

function tokenOf({ query }: Request): string {
  return typeof query.token === "string" ? query.token : "";
}

async function listen(server: Server, port: number, host: string): Promise<number> {
  try {
    server.listen(port, host);
    await once(server, "listening");
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : "no reason given";
    throw new UserError(boardDeafText(code), { cause: error });
  }
  const at = server.address();
  return typeof at === "object" && at !== null ? at.port : port;
}
