import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { Activity } from "botbuilder";
import express, { type ErrorRequestHandler } from "express";
import { UserError } from "../../../engine/domain/errors.ts";
import { ChatError, type Handle } from "../../surface.ts";
import { Heard } from "./activity.ts";
import type { Connector } from "./connector.ts";
import type { Hearing } from "./hear.ts";

export interface ServerParts {
  connector: Connector;
  hearing: Hearing;
  host: string;
  port: number;
  /** Nothing is signed: only what comes from this machine, and is answered there, is taken. */
  open: boolean;
  log: { warn(facts: Record<string, unknown>, text: string): void };
}

/** Where Teams calls. */
export const endpoint = "/api/messages";

/** Hears Teams; nothing is handled that Teams has not signed. Answers the address with it. */
export async function serve(
  { connector, hearing, host, port, open, log }: ServerParts,
  handle: Handle,
): Promise<AsyncDisposable & { url: string }> {
  const app = express();
  app.disable("x-powered-by");
  app.post(endpoint, express.json({ limit: "1mb" }), async (request, response) => {
    const heard = Heard.safeParse(request.body).data;
    if (heard === undefined) return void response.sendStatus(400);
    if (open && !isAtHome(heard, request.headers)) return void response.sendStatus(403);
    try {
      await connector.authenticate(request.body as Activity, request.headers.authorization ?? "");
    } catch (error) {
      const unsure = error instanceof ChatError && error.kind === "unreachable";
      if (unsure) return void response.sendStatus(503);
      log.warn({ err: error }, "a request that Teams did not sign");
      return void response.sendStatus(401);
    }
    const answer = hearing.hear(heard, handle);
    if (answer.at === "end") return void response.json(await answer.body);
    response.sendStatus(heard.type === "invoke" ? 501 : 202);
    answer.work();
  });
  app.use(((error, _request, response, _next) => {
    const { status } = error as { status?: number };
    response.sendStatus(status !== undefined && status < 500 ? status : 500);
  }) satisfies ErrorRequestHandler);
  const server = createServer(app);
  try {
    await listening(server, host, port);
  } catch (cause) {
    throw new UserError(
      `Teams cannot be heard at ${host}:${port}; something else may listen there. Set TEAMS_PORT.`,
      { cause },
    );
  }
  const at = (server.address() as AddressInfo).port;
  return {
    url: `http://${host.includes(":") ? `[${host}]` : host}:${at}${endpoint}`,
    async [Symbol.asyncDispose]() {
      const closed = new Promise((resolve) => server.close(resolve));
      await hearing.idle();
      server.closeAllConnections();
      await closed;
    },
  };
}

/** Whether a host name or address is this machine. */
export function isLoopback(host: string): boolean {
  const name = host.replace(/^\[|\]$/g, "").toLowerCase();
  return name === "localhost" || name === "::1" || /^127(?:\.\d{1,3}){3}$/.test(name);
}

/** A page in a browser can reach this machine too: it says where it is from, or calls us by another name. */
function isAtHome(heard: Heard, headers: { host?: string; origin?: string }): boolean {
  const called = URL.parse(`http://${headers.host}`)?.hostname ?? "";
  const answered = URL.parse(heard.serviceUrl)?.hostname ?? "";
  return isLoopback(called) && isLoopback(answered) && headers.origin === undefined;
}

function listening(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, host, () => {
      server.off("error", reject);
      resolve();
    });
  });
}
