import type { Writable } from "node:stream";
import { ImapFlow, type ImapFlowOptions, type ImapResponse } from "imapflow";

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

/** Takes untagged answers as they come; nothing more is read until its promise ends. It must not throw. */
export type Untagged = (answer: ImapResponse) => Promise<void> | void;

/**
 * imapflow as we use it: it connects, speaks TLS, logs in, parses answers and puts commands in order.
 * `exec`, `authenticate`, `throttleWait` and the sockets are not in its published types; the exact version is pinned and
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
      untagged?: Record<string, Untagged>;
      /** The server asks for what the command announced. */
      onPlusTag?: () => Promise<void>;
    },
  ): Promise<{ response: ImapResponse; next(): void }>;
  /** Called between TLS and the first credential. */
  authenticate(): Promise<boolean>;
  /** Waits out a server's pause before the command's error is told. */
  throttleWait(ms: number): Promise<boolean>;
  readonly socket: unknown;
  readonly writeSocket: Writable;
}

/** A connection not yet made. `beforeLogin` may throw to keep the credentials from being sent. */
export function newWire(options: ImapFlowOptions, beforeLogin: (wire: Wire) => void): Wire {
  const wire = new ImapFlow(options) as ImapFlow & Wire;
  const login = wire.authenticate.bind(wire);
  wire.authenticate = async () => {
    beforeLogin(wire);
    return login();
  };
  // Whoever runs the pass waits, with the connection closed and the reason told to people.
  wire.throttleWait = () => Promise.resolve(false);
  return wire;
}

/**
 * Writes the bytes of a literal and the command's end, as fast as they are taken. imapflow would copy them
 * twice, which matters for large messages.
 */
export async function pour(bytes: Buffer, into: Writable): Promise<void> {
  for (let at = 0; at < bytes.length && !into.destroyed; at += pourBytes) {
    if (into.write(bytes.subarray(at, at + pourBytes))) continue;
    await new Promise<void>((resolve) => {
      const done = () => {
        into.off("drain", done).off("close", done);
        resolve();
      };
      into.on("drain", done).on("close", done);
    });
  }
  if (!into.destroyed) into.write("\r\n");
}

const pourBytes = 256 * 1024;

/** An atom. */
export const atom = (value: string): Argument => ({ type: "ATOM", value });

/** A quoted string. */
export const quoted = (value: string): Argument => ({ type: "STRING", value });

/** A set of UIDs or sequence numbers. */
export const sequence = (value: string): Argument => ({ type: "SEQUENCE", value });
