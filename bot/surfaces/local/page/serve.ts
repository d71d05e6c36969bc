import { once } from "node:events";
import { createServer, type Server } from "node:http";
import { createRequire } from "node:module";
import { join } from "node:path";
import express, { type Request, type Response } from "express";
import { z } from "zod";
import type { Clock } from "../../../../engine/domain/clock.ts";
import { Secret } from "../../../../engine/domain/secret.ts";
import type { Transcript } from "../../../../engine/domain/thread.ts";
import { knockOf } from "../../../knock.ts";
import type { Incoming } from "../../../surface.ts";
import { localIncoming, localPerson } from "../chat.ts";
import { localChannel } from "../surface.ts";
import { type Door, openDoor } from "./door.ts";
import { beginning, linesAfter } from "./lines.ts";

export interface PageOptions {
  transcript: Transcript;
  /** Hears a line; answers what could not be told in the channel. */
  handle(incoming: Incoming): Promise<{ untold: string | null }>;
  /** Where it listens on 127.0.0.1; any other port where that one is taken. 0 for any. */
  port: number;
  clock: Clock;
  log: { error(facts: Record<string, unknown>, text: string): void };
  /** How often it looks for new lines, in ms. */
  lookMs?: number;
}

export interface Page extends AsyncDisposable {
  /** Opens the page in one browser, once. */
  url: string;
}

/** What the page sends: a line, typed or pressed, and what a form brought. */
const Said = z.object({
  /** Given by the page, so that a request the browser repeats is one command. */
  id: z.uuid(),
  as: z.string().regex(/^[a-z0-9][a-z0-9._-]{0,39}$/),
  text: z.string().min(1).max(20_000),
  thread: z
    .string()
    .regex(/^local:main:[0-9a-f]+$/)
    .nullable(),
  values: z
    .array(
      z.object({
        name: z.string().max(64),
        kind: z.enum(["secret", "text", "file"]),
        value: z.string().max(5 * 1024 * 1024),
      }),
    )
    .max(20)
    .nullable(),
});

const policy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join("; ");

const client = join(import.meta.dirname, "client");
const renderer = createRequire(import.meta.url).resolve("adaptivecards/dist/adaptivecards.min.js");

/**
 * The local channel as a page in a browser of this machine: the same lines the terminal shows, drawn as cards.
 * What is typed there does not read this machine's files and variables.
 */
export async function servePage(options: PageOptions): Promise<Page> {
  const server = createServer();
  const port = await listen(server, options.port);
  const door = openDoor(port);
  const over = new AbortController();
  const busy = new Set<Promise<unknown>>();
  server.on("request", site(door, options, over.signal, busy));
  return {
    url: `http://127.0.0.1:${port}/?token=${door.token}`,
    async [Symbol.asyncDispose]() {
      over.abort();
      await Promise.allSettled(busy);
      const closed = once(server, "close");
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

function site(
  door: Door,
  options: PageOptions,
  over: AbortSignal,
  busy: Set<Promise<unknown>>,
): express.Express {
  const app = express();
  app.disable("x-powered-by");
  app.disable("etag");
  app.use((request, response, next) => {
    response.set({
      "Content-Security-Policy": policy,
      "X-Content-Type-Options": "nosniff",
      "Referrer-Policy": "no-referrer",
      "Cross-Origin-Opener-Policy": "same-origin",
      "Cross-Origin-Resource-Policy": "same-origin",
      "Cache-Control": "no-store",
    });
    const refusal = door.refusal(knockOf(request));
    if (refusal === null) next();
    else if (refusal === "cookie" && request.method === "GET" && request.path === "/") {
      enter(door, request, response);
    } else response.status(403).type("text").send(refusals[refusal]);
  });
  app.get("/", (_, response) => response.sendFile(join(client, "index.html")));
  for (const name of ["page.css", "page.js", "cards.js", "times.js"]) {
    app.get(`/${name}`, (_, response) => response.sendFile(join(client, name)));
  }
  app.get("/adaptivecards.js", (_, response) => response.sendFile(renderer));
  // Asked for by browsers whatever the page says.
  app.get("/favicon.ico", (_, response) => response.status(204).end());
  app.get("/lines", (request, response) => follow(request, response, options, over));
  app.post("/say", express.json({ limit: "6mb", strict: true }), async (request, response) => {
    const said = Said.safeParse(request.body);
    if (!said.success) {
      response.status(400).type("text").send("That is not what the page sends.");
      return;
    }
    const work = options.handle(incoming(said.data));
    busy.add(work);
    const { untold } = await work.finally(() => busy.delete(work));
    if (untold === null) response.status(204).end();
    else response.status(503).type("text").send(untold);
  });
  app.use((_: Request, response: Response) => {
    response.status(404).type("text").send("There is nothing here.");
  });
  app.use(
    (error: unknown, request: Request, response: Response, next: (error: unknown) => void) => {
      const status = (error as { status?: unknown }).status;
      const theirs = typeof status === "number" && status < 500;
      // A tab that was closed in the middle of what it sent.
      const left = request.destroyed || request.socket.destroyed;
      if (!theirs && !left) options.log.error({ err: error }, "the page could not answer");
      if (response.headersSent) next(error);
      else if (theirs)
        response.status(status).type("text").send("That is not what the page sends.");
      else response.status(500).type("text").send("That went wrong; the log says more.");
    },
  );
  return app;
}

/** Whoever brings the token gets the cookie; the page then opens itself, so that the browser sends it. */
function enter(door: Door, request: Request, response: Response): void {
  const { token } = request.query;
  const cookie = typeof token === "string" ? door.open(token) : null;
  if (cookie === null) {
    response.status(403).type("text").send(refusals.cookie);
    return;
  }
  response
    .set("Set-Cookie", cookie)
    .type("html")
    .send('<!doctype html><meta charset="utf-8"><meta http-equiv="refresh" content="0;url=/">');
}

const refusals = {
  address: "Godwit's page is opened by the address it printed, on this machine.",
  origin: "Another page asked for this, and it was not done.",
  cookie:
    "This address was used already or is not the right one. Start Godwit anew and open the address it prints; it is good for one browser, once.",
} as const;

/** New lines as they come, as server-sent events (WHATWG HTML 9.2); the id of each is the line's. */
async function follow(
  request: Request,
  response: Response,
  { transcript, clock, lookMs = 200 }: PageOptions,
  over: AbortSignal,
): Promise<void> {
  const as = Said.shape.as.safeParse(request.query.as);
  if (!as.success) {
    response.status(400).end();
    return;
  }
  const { id: person } = localPerson(as.data);
  const gone = new AbortController();
  response.on("close", () => gone.abort());
  const signal = AbortSignal.any([gone.signal, over]);
  const since = Number(request.headers["last-event-id"] ?? Number.NaN);
  let read = Number.isSafeInteger(since) ? since : await beginning(transcript);
  response.set({ "Content-Type": "text/event-stream" });
  response.flushHeaders();
  let quiet = 0;
  while (!signal.aborted) {
    const found = await linesAfter(transcript, read, person);
    for (const line of found.lines) {
      response.write(`id: ${line.id}\ndata: ${JSON.stringify(line)}\n\n`);
    }
    quiet = found.lines.length > 0 ? 0 : quiet + lookMs;
    if (quiet >= 15_000) {
      // So that whatever stands between does not think it is over.
      response.write(":\n\n");
      quiet = 0;
    }
    if (found.read === read) await clock.sleep(lookMs, signal);
    read = found.read;
  }
  response.end();
}

function incoming({ id, as, text, thread, values }: z.infer<typeof Said>): Incoming {
  return {
    ...localIncoming(text, localPerson(as)),
    thread,
    eventId: id,
    values:
      values === null
        ? null
        : new Map(
            values.map(({ name, kind, value }) => [
              name,
              new Secret(value, { looked: kind === "secret" }),
            ]),
          ),
    link: thread ?? localChannel,
    capabilities: { readsThisMachine: false, cannotPost: null },
  };
}

async function listen(server: Server, wanted: number): Promise<number> {
  for (const port of [wanted, 0]) {
    server.listen(port, "127.0.0.1");
    const taken = await Promise.race([
      once(server, "listening").then(() => false),
      once(server, "error").then(() => true),
    ]).catch(() => true);
    const at = server.address();
    if (!taken && typeof at === "object" && at !== null) return at.port;
  }
  throw new Error("No port can be listened on.");
}
