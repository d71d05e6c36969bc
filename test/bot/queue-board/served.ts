import { request } from "node:http";
import type { BoardConfig } from "../../../bot/queue-board/address.ts";
import { type QueueBoard, serveQueueBoard } from "../../../bot/queue-board/serve.ts";
import type { Queue } from "../../../engine/domain/queue.ts";
import { drawnQueue } from "../../../engine/queues/board.ts";
import { bullmqQueue } from "../../../engine/queues/bullmq.ts";
import { testPace } from "../../contracts/queue-pace.ts";

/** The board of a queue, an owner of it and a clock that is moved by hand. Disposing closes board and queue. */
export interface Served extends AsyncDisposable {
  board: QueueBoard;
  queue: Queue;
  owners: Set<string>;
  logged: unknown[];
  advance(ms: number): void;
  /** A request as anything might send it; fetch would not let us say which host. */
  ask(path: string, options?: Asked): Promise<Told>;
  /** Goes in by a link of its own; the headers of a browser that did. */
  enter(): Promise<{ cookie: string; origin: string }>;
}

export interface Asked {
  method?: string;
  headers?: Record<string, string>;
  body?: string;
}

export interface Told {
  status: number;
  headers: Record<string, string | string[] | undefined>;
  body: string;
}

export const owner = "local:owner";

export async function served(
  queueUrl: string,
  at: Partial<BoardConfig> = {},
  host = "127.0.0.1",
): Promise<Served> {
  await using stack = new AsyncDisposableStack();
  let now = Date.UTC(2026, 10, 20, 12);
  const clock = { now: () => now, sleep: async () => {} };
  const owners = new Set([owner]);
  const logged: unknown[] = [];
  const log = { info() {}, warn: (facts: unknown) => void logged.push(facts) };
  const queue = stack.use(bullmqQueue(queueUrl, log, testPace));
  const { adapter } = stack.use(drawnQueue(queueUrl, testPace));
  const board = stack.use(
    await serveQueueBoard({
      adapter,
      serves: () => true,
      mayEnter: (person) => owners.has(person),
      at: { port: 0, url: null, ...at },
      ...{ host, clock, log },
    }),
  );
  const { port } = board;
  const ask: Served["ask"] = (path, { method = "GET", headers = {}, body } = {}) =>
    new Promise((resolve, reject) => {
      const all = { host: new URL(board.origin).host, ...headers };
      const sent = request({ host, port, path, method, headers: all }, (response) => {
        let text = "";
        response.on("data", (part) => {
          text += part;
        });
        response.on("end", () =>
          resolve({ status: response.statusCode ?? 0, headers: response.headers, body: text }),
        );
      });
      sent.on("error", reject);
      sent.end(body);
    });
  const opened = stack.move();
  return {
    board,
    queue,
    owners,
    logged,
    advance(ms) {
      now += ms;
    },
    ask,
    async enter() {
      const { origin } = board;
      const told = await ask(pathOf(board.invite(owner)), { method: "POST", headers: { origin } });
      return { cookie: cookieIn(told), origin };
    },
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  };
}

export function pathOf(link: string): string {
  const { pathname, search } = new URL(link);
  return pathname + search;
}

export function cookieIn({ headers }: Told): string {
  return headers["set-cookie"]?.[0]?.split(";")[0] ?? "";
}
