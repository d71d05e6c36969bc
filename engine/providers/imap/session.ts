import type { ImapResponse } from "imapflow";
import { lost, passing, refusal, responseCode, responseText, type Who } from "./errors.ts";
import { type Argument, pour, type Untagged, type Wire } from "./wire.ts";

/** How a command ended. */
export interface Reply {
  status: "OK" | "NO" | "BAD";
  /** The response code and what stands behind it, in capitals: `["APPENDUID", "1", "7"]`. */
  code: string[];
  /** The server's own words, as they came. */
  text: string;
}

/** A mailbox logged in to. Commands run one after another. */
export interface Session extends AsyncDisposable {
  readonly who: Who;
  has(capability: string): boolean;
  /** The FETCH item that names a message wherever it is moved; null where the server has none. */
  readonly identity: "EMAILID" | "X-GM-MSGID" | "X-GUID" | null;
  /** The number of a capability like `APPENDLIMIT=1000`; null without one. */
  number(capability: string): number | null;
  /**
   * Sends a command. A NO or BAD is an answer; `TransientError` is thrown when the connection is lost or the
   * server wants a pause.
   */
  send(
    command: string,
    args: Argument[],
    untagged?: Record<string, Untagged>,
    /** What the last argument announced, sent when the server asks for it. */
    literal?: Buffer,
  ): Promise<Reply>;
}

/** The session over a connected wire. Says NOOP whenever nothing was said for `keepAliveMs`. */
export function sessionOver(wire: Wire, who: Who, keepAliveMs: number): Session {
  let running = 0;
  let failure: unknown = null;
  wire.on("error", (error: unknown) => {
    failure = error;
  });

  const send: Session["send"] = async (command, args, untagged = {}, literal) => {
    running += 1;
    try {
      const onPlusTag = literal === undefined ? undefined : () => pour(literal, wire.writeSocket);
      const { response, next } = await wire.exec(command, args, { untagged, onPlusTag });
      next();
      return okay(response);
    } catch (error) {
      const said = refusal(error);
      if (said === null) throw lost(error, who, failure);
      const mended = passing(said, who);
      if (mended !== null) throw mended;
      return said;
    } finally {
      running -= 1;
      keepAlive.refresh();
    }
  };
  const keepAlive = setInterval(() => {
    // What goes wrong here goes wrong again at the next command, where somebody waits for it.
    if (running === 0) send("NOOP", []).catch(() => {});
  }, keepAliveMs).unref();

  return {
    who,
    has: (capability) => wire.capabilities.has(capability),
    identity: identityItem(wire),
    number(capability) {
      const value = wire.capabilities.get(capability);
      return typeof value === "number" ? value : null;
    },
    send,
    async [Symbol.asyncDispose]() {
      clearInterval(keepAlive);
      // LOGOUT, never CLOSE: that one expunges. It would wait behind a command that is stuck.
      if (running === 0 && !wire.isClosed)
        await Promise.race([send("LOGOUT", []), soon()]).catch(() => {});
      wire.close();
    },
  };
}

function identityItem({ capabilities, serverInfo }: Wire): Session["identity"] {
  if (capabilities.has("OBJECTID")) return "EMAILID";
  if (capabilities.has("X-GM-EXT-1")) return "X-GM-MSGID";
  // Dovecot announces it nowhere.
  return /dovecot/i.test(String(serverInfo?.name ?? "")) ? "X-GUID" : null;
}

function okay(response: ImapResponse): Reply {
  const status = (response.command ?? "").toUpperCase();
  // imapflow takes a tagged BYE for success.
  if (status !== "OK") throw Object.assign(new Error("odd answer"), { code: "InvalidResponse" });
  return { status, code: responseCode(response), text: responseText(response) };
}

function soon(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 3000).unref());
}
