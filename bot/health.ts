import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { type Clock, type Instant, within } from "../engine/domain/clock.ts";
import { UserError } from "../engine/domain/errors.ts";
import type { Vitals } from "../engine/domain/vitals.ts";
import type { Log } from "./log.ts";
import type { Metrics } from "./metrics.ts";
import {
  aliveText,
  databaseLine,
  nothingHereText,
  notListeningText,
  onlyGetText,
  processLine,
  queueLine,
  type Stance,
  unansweredText,
} from "./wording/health.ts";

export interface HealthOptions {
  vitals: Vitals;
  metrics: Metrics;
  queueServes(): boolean;
  host: string;
  /** 0 for any. */
  port: number;
  clock: Clock;
  log: Pick<Log, "warn">;
}

/** Where those who watch ask. Disposing stops listening. */
export interface Health extends AsyncDisposable {
  port: number;
  /** Ready only while it is `open`; it begins `opening`. */
  stance(stance: Stance): void;
}

/** How long the database may take, in ms: to say that it lives, and for its figures. */
const patience = { ready: 2_000, figures: 5_000 };
/** How long figures are told again before the database is asked anew, in ms. */
const keptMs = 1_000;

interface Answer {
  status: number;
  text: string;
  type?: string;
}

/**
 * Tells whoever asks by HTTP whether this process lives, whether it may be given work, and its figures. It wants no
 * password and names nobody. Throws `UserError` where it cannot listen.
 */
export async function serveHealth(options: HealthOptions): Promise<Health> {
  const { vitals, metrics, queueServes, clock, log } = options;
  let stance: Stance = "opening";
  let failing = false;
  const answers = oneAtATime(() => vitals.answers());
  const figures = oneAtATime(kept(() => vitals.figures(), clock));

  const ready = async (): Promise<Answer> => {
    const database = await within(patience.ready, answers()).then(
      () => true,
      () => false,
    );
    return readiness(stance, database, queueServes());
  };
  const measured = async (): Promise<Answer> => {
    const found = await within(patience.figures, figures()).catch((err: unknown) => {
      if (!failing) log.warn({ err }, "the database does not tell its figures");
      return null;
    });
    failing = found === null;
    return { status: 200, text: await metrics.text(found), type: metrics.contentType };
  };
  const paths = new Map<string, () => Promise<Answer>>([
    ["/healthz", () => Promise.resolve({ status: 200, text: `${aliveText}\n` })],
    ["/readyz", ready],
    ["/metrics", measured],
  ]);

  const server = createServer(limits, (request, response) => {
    void answerTo(request, paths)
      .catch((err: unknown) => {
        log.warn({ err }, "who watches could not be answered");
        return { status: 500, text: `${unansweredText}\n` };
      })
      .then((answer) => send(response, answer));
  });
  // Whoever does not read what was asked for is not waited for.
  server.setTimeout(15_000);
  server.maxConnections = 64;
  try {
    server.listen(options.port, options.host);
    await once(server, "listening");
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : "no reason given";
    throw new UserError(notListeningText(code), { cause: error });
  }
  server.on("error", (err) => log.warn({ err }, "who watches is not heard"));
  const at = server.address();
  return {
    port: typeof at === "object" && at !== null ? at.port : options.port,
    stance(next) {
      stance = next;
    },
    async [Symbol.asyncDispose]() {
      const closed = once(server, "close");
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

const limits = {
  headersTimeout: 5_000,
  requestTimeout: 5_000,
  connectionsCheckingInterval: 1_000,
  maxHeaderSize: 8_192,
};

/** The queue alone makes nobody wait for more than seconds: a process without it is as ready. */
function readiness(stance: Stance, database: boolean, queue: boolean): Answer {
  const lines = [processLine(stance), databaseLine(database), queueLine(queue)];
  return { status: stance === "open" && database ? 200 : 503, text: `${lines.join("\n")}\n` };
}

async function answerTo(
  { method, url = "" }: IncomingMessage,
  paths: Map<string, () => Promise<Answer>>,
): Promise<Answer> {
  const answer = paths.get(url.replace(/\?.*$/s, ""));
  if (answer === undefined) return { status: 404, text: `${nothingHereText}\n` };
  if (method !== "GET") return { status: 405, text: `${onlyGetText}\n` };
  return answer();
}

/** One question a connection: what else came with it is not read. */
function send(
  response: ServerResponse,
  { status, text, type = "text/plain; charset=utf-8" }: Answer,
) {
  response.writeHead(status, {
    "Content-Type": type,
    "Content-Length": Buffer.byteLength(text),
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    Connection: "close",
    ...(status === 405 && { Allow: "GET" }),
  });
  response.end(text);
}

/** Whoever asks meanwhile hears what the one under way brings. */
function oneAtATime<Result>(ask: () => Promise<Result>): () => Promise<Result> {
  let under: Promise<Result> | null = null;
  return () => {
    under ??= ask().finally(() => {
      under = null;
    });
    return under;
  };
}

/** What was heard a moment ago is told again; an error is not. */
function kept<Result>(ask: () => Promise<Result>, clock: Clock): () => Promise<Result> {
  let last: { at: Instant; result: Result } | null = null;
  return async () => {
    // A clock that was put back is no moment ago.
    if (last !== null && Math.abs(clock.now() - last.at) < keptMs) return last.result;
    const result = await ask();
    last = { at: clock.now(), result };
    return result;
  };
}
