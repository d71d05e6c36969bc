import { once } from "node:events";
import { createServer, type IncomingMessage } from "node:http";
import type { HTTPReceiver } from "@slack/bolt";
import { UserError } from "../../../engine/domain/errors.ts";

/** How far Slack's clock may be ahead of ours, in seconds; Bolt itself refuses what is older than this. */
const window = 5 * 60;

/** Lets signed requests in. Bolt checks the signature, and does not look whether the time is yet to come. */
export async function openDoor(
  receiver: HTTPReceiver,
  host: string,
  port: number,
): Promise<AsyncDisposable> {
  const server = createServer((request, response) => {
    if (isYetToCome(request)) response.writeHead(401).end();
    else receiver.requestListener(request, response);
  });
  // A request has no longer than Slack waits for an answer.
  server.requestTimeout = 10_000;
  server.listen(port, host);
  try {
    await once(server, "listening");
  } catch (cause) {
    throw new UserError(
      `Slack cannot be heard at ${host}:${port}; something else may listen there. Set GODWIT_PORT.`,
      { cause },
    );
  }
  return {
    async [Symbol.asyncDispose]() {
      server.close();
      server.closeIdleConnections();
      await once(server, "close");
    },
  };
}

function isYetToCome({ headers }: IncomingMessage): boolean {
  const seconds = Number(headers["x-slack-request-timestamp"]);
  return seconds > Date.now() / 1000 + window;
}
