import type { ImapResponse } from "imapflow";
import { lost, passing, refusal, responseCode, responseText, type Who } from "./errors.ts";
import type { Limits } from "./limits.ts";
import { Late, startPatience } from "./patience.ts";
import { type Argument, pour, type Untagged, type Wire } from "./wire.ts";

/** How a command ended. */
export interface Reply {
  status: "OK" | "NO" | "BAD";
  /** The response code and what stands behind it, in capitals: `["APPENDUID", "1", "7"]`. */
  code: string[];
  /** The server's own words, as they came. */
  text: string;
}

/** Bytes that wait for the server's word; where `mayLeave` throws then, the connection ends with what it threw. */
export interface Literal {
  bytes: readonly Buffer[];
  mayLeave?: (() => void) | undefined;
}

/** A mailbox logged in to. Commands run one after another. */
export interface Session extends AsyncDisposable {
  readonly who: Who;
  readonly limits: Limits;
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
    literal?: Literal,
    /** How many answers it may have. */
    wanted?: number,
  ): Promise<Reply>;
  /** A command is under way: what is sent now waits for its end. */
  busy(): boolean;
  /** Answers until now that nobody could read. */
  unreadable(): number;
}

/** The session over a connected wire. Says NOOP whenever nothing was said for `keepAliveMs`. */
export function sessionOver(wire: Wire, who: Who, limits: Limits, keepAliveMs: number): Session {
  let running = 0;
  let failure: unknown = null;
  wire.on("error", (error: unknown) => {
    failure = error;
  });

  const send: Session["send"] = async (command, args, untagged = {}, literal, wanted = 0) => {
    running += 1;
    let withheld: unknown = null;
    const withhold = (error: unknown) => {
      withheld = error;
      wire.close();
    };
    let poured = false;
    const pouring = async ({ bytes, mayLeave }: Literal) => {
      // A server that asks twice would take the second for commands.
      if (poured) return;
      poured = true;
      await pour(bytes, wire.writeSocket, mayLeave).catch(withhold);
    };
    wire.screen.begin(wanted);
    const patience = startPatience(limits, wire.screen, () => {
      failure ??= new Late();
      wire.close();
    });
    patience.useful(literal?.bytes.reduce((sum, part) => sum + part.length, 0) ?? 0);
    const heard = (take: Untagged) => async (answer: ImapResponse) => {
      if (withheld !== null) return;
      try {
        const taken = take(answer);
        patience.useful((taken instanceof Promise ? await patience.hold(taken) : taken) ?? 0);
      } catch (error) {
        withhold(error);
      }
    };
    try {
      const onPlusTag = literal === undefined ? undefined : () => pouring(literal);
      const takers = Object.entries(untagged).map(([name, take]) => [name, heard(take)]);
      const options = { untagged: Object.fromEntries(takers), onPlusTag };
      const { response, next } = await wire.exec(command, args, options);
      next();
      const reply = okay(response);
      // What was never taken cannot have been stored, whatever is said.
      if (literal !== undefined && !poured) throw odd();
      return reply;
    } catch (error) {
      if (withheld !== null) throw withheld;
      const said = refusal(error);
      if (said === null) throw lost(error, who, failure);
      const mended = passing(said, who);
      if (mended !== null) throw mended;
      return said;
    } finally {
      patience.end();
      running -= 1;
      // The next may have begun to count already, while this one ran.
      if (running === 0) wire.screen.begin(0);
      keepAlive.refresh();
    }
  };
  const keepAlive = setInterval(() => {
    // What goes wrong here goes wrong again at the next command, where somebody waits for it.
    if (running === 0) send("NOOP", []).catch(() => {});
  }, keepAliveMs).unref();

  return {
    who,
    limits,
    busy: () => running > 0,
    unreadable: wire.unreadable,
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
  // imapflow takes a tagged BYE for success, and a NO that says some messages no longer exist.
  if (status !== "OK" && status !== "NO") throw odd();
  return { status, code: responseCode(response), text: responseText(response) };
}

function odd(): Error {
  return Object.assign(new Error("odd answer"), { code: "InvalidResponse" });
}

function soon(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 3000).unref());
}
