import type { SocketModeReceiver } from "@slack/bolt";
import type { Clock } from "../../../engine/domain/clock.ts";

/** The longest pause between two tries, in ms. */
const longest = 30_000;

/**
 * Connects, and comes back whenever the socket is gone, until it is disposed. Throws where the first try fails.
 * The SDK's own way back waits five seconds first, and ends the process where Slack refuses it.
 */
export async function keepConnected(
  { client }: SocketModeReceiver,
  clock: Clock,
  log: { warn(facts: Record<string, unknown>, text: string): void },
): Promise<AsyncDisposable> {
  const stopping = new AbortController();
  const { signal } = stopping;
  let coming: Promise<void> | null = null;

  const comeBack = async () => {
    for (let wait = 1000; !signal.aborted; wait = Math.min(wait * 2, longest)) {
      try {
        await client.start();
        return;
      } catch (err) {
        if (signal.aborted) return;
        log.warn({ err, ms: wait }, "Slack cannot be heard; it is tried again");
        await clock.sleep(wait, signal);
      }
    }
  };

  await client.start();
  client.on("disconnected", () => {
    if (coming !== null || signal.aborted) return;
    coming = comeBack().finally(() => {
      coming = null;
    });
  });
  return {
    async [Symbol.asyncDispose]() {
      stopping.abort();
      await client.disconnect();
      await coming;
    },
  };
}
