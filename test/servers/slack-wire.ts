import { createHmac } from "node:crypto";

/** What Slack sends a bot: by the names Socket Mode has for it. */
export type Sent = "slash_commands" | "interactive" | "events_api";

/** A way to bring something to the bot. Answers once it is acknowledged. */
export interface SlackWire {
  send(kind: Sent, payload: Record<string, unknown>, retry?: number): Promise<void>;
}

export const signingSecret = "signing-secret-of-the-test";

/** Slack's signature over a body. */
export function signature(body: string, seconds: number, secret = signingSecret): string {
  return `v0=${createHmac("sha256", secret).update(`v0:${seconds}:${body}`).digest("hex")}`;
}

/** The body and its type, as Slack's HTTP requests have them. */
export function bodyOf(
  kind: Sent,
  payload: Record<string, unknown>,
): { type: string; body: string } {
  if (kind === "events_api") return { type: "application/json", body: JSON.stringify(payload) };
  const fields =
    kind === "interactive"
      ? { payload: JSON.stringify(payload) }
      : Object.fromEntries(Object.entries(payload).map(([name, value]) => [name, String(value)]));
  return {
    type: "application/x-www-form-urlencoded",
    body: new URLSearchParams(fields).toString(),
  };
}

/** Signed requests to a bot that listens at this address. */
export function httpWire(url: string): SlackWire {
  return {
    async send(kind, payload, retry) {
      const { type, body } = bodyOf(kind, payload);
      const seconds = Math.floor(Date.now() / 1000);
      const response = await fetch(url, {
        method: "POST",
        headers: {
          "content-type": type,
          "x-slack-request-timestamp": String(seconds),
          "x-slack-signature": signature(body, seconds),
          ...(retry === undefined
            ? {}
            : { "x-slack-retry-num": String(retry), "x-slack-retry-reason": "http_timeout" }),
        },
        body,
      });
      await response.text();
      if (!response.ok) throw new Error(`The bot answered ${response.status}.`);
    },
  };
}
