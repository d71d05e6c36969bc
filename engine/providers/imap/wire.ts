import type { Transform, Writable } from "node:stream";
import { ImapFlow, type ImapFlowOptions, type ImapResponse } from "imapflow";
import { guard } from "./guard.ts";
import type { Limits } from "./limits.ts";
import { newScreen, type Screen } from "./screen.ts";

/** What a command may be given: imapflow's own tokens. */
export type Argument =
  | {
      type: "ATOM" | "STRING" | "SEQUENCE" | "TEXT";
      value: string;
      section?: Argument[];
      partial?: number[];
    }
  | { type: "LITERAL"; value: Buffer; isLiteral8: boolean }
  | Argument[];

/**
 * Takes untagged answers as they come; nothing more is read until its promise ends. Answers how many bytes of what
 * came were asked for; nothing for none. What it throws ends the connection and the command.
 */
export type Untagged = (answer: ImapResponse) => Promise<number> | number | undefined;

/**
 * imapflow as we use it: it connects, speaks TLS, logs in, parses answers and puts commands in order.
 * `exec`, `authenticate`, `throttleWait`, `streamer` and the sockets are not in its published types; the exact version is pinned and
 * the tests on real servers notice a change.
 */
export interface Wire
  extends Pick<
    ImapFlow,
    | "connect"
    | "close"
    | "capabilities"
    | "secureConnection"
    | "greeting"
    | "isClosed"
    | "on"
    | "serverInfo"
  > {
  exec(
    command: string,
    attributes: Argument[],
    options: {
      untagged?: Record<string, (answer: ImapResponse) => Promise<void>>;
      /** The server asks for what the command announced. */
      onPlusTag?: () => Promise<void>;
    },
  ): Promise<{ response: ImapResponse; next(): void }>;
  /** Called between TLS and the first credential. */
  authenticate(): Promise<boolean>;
  /** Waits out a server's pause before the command's error is told. */
  throttleWait(ms: number): Promise<boolean>;
  /** Cuts what the socket brings into answers. */
  readonly streamer: Transform;
  readonly socket: unknown;
  readonly writeSocket: Writable;
  readonly screen: Screen;
  /** Answers until now that could not be read and were skipped. */
  unreadable(): number;
}

/** A connection not yet made. `beforeLogin` may throw to keep the credentials from being sent. */
export function newWire(
  options: ImapFlowOptions,
  limits: Limits,
  beforeLogin: (wire: Wire) => void,
): Wire {
  const screen = newScreen(limits);
  const log = unreadableOnly();
  const flow = new ImapFlow({ ...options, logger: log }) as ImapFlow & Wire;
  const wire = Object.assign(flow, { screen, unreadable: () => log.count });
  guard(wire.streamer, screen);
  const login = wire.authenticate.bind(wire);
  wire.authenticate = async () => {
    beforeLogin(wire);
    return login();
  };
  // Whoever runs the pass waits, with the connection closed and the reason told to people.
  wire.throttleWait = () => Promise.resolve(false);
  return wire;
}

/** A log that counts what the parser skipped, which it tells nobody else, and keeps nothing. */
function unreadableOnly() {
  const log = {
    count: 0,
    trace() {},
    debug() {},
    info() {},
    warn() {},
    error(said: { src?: string }) {
      if (said?.src === "s") log.count += 1;
    },
  };
  return log;
}

/**
 * Writes the bytes of a literal and the command's end, as fast as they are taken. imapflow would copy them
 * twice, which matters for large messages. `mayLeave` is asked before each piece, and before the end, without
 * which the server stores nothing: the end waits until what goes before it has left this process.
 */
export async function pour(
  bytes: readonly Buffer[],
  into: Writable,
  mayLeave = () => {},
): Promise<void> {
  for (const part of bytes) {
    for (let at = 0; at < part.length && !into.destroyed; at += pourBytes) {
      mayLeave();
      await taken(part.subarray(at, at + pourBytes), into);
    }
  }
  mayLeave();
  if (!into.destroyed) into.write("\r\n");
}

/** Ends when the bytes were handed to the system, or never will be. */
function taken(bytes: Buffer, into: Writable): Promise<void> {
  return new Promise((resolve) => {
    into.once("close", resolve);
    into.write(bytes, () => {
      into.off("close", resolve);
      resolve();
    });
  });
}

const pourBytes = 256 * 1024;

/** An atom. */
export const atom = (value: string): Argument => ({ type: "ATOM", value });

/** A quoted string. */
export const quoted = (value: string): Argument => ({ type: "STRING", value });

/** A set of UIDs or sequence numbers. */
export const sequence = (value: string): Argument => ({ type: "SEQUENCE", value });
