import { UserError } from "../../engine/domain/errors.ts";

/** Where the queue's board is served. */
export interface BoardConfig {
  port: number;
  /** The origin people open, where that is not the address it listens on. */
  url: string | null;
}

/** What of the configuration decides it. */
export interface BoardVariables {
  QUEUE_URL?: string | undefined;
  GODWIT_HOST: string;
  GODWIT_PORT: number;
  GODWIT_HEALTH_PORT?: number | undefined;
  GODWIT_BOARD_PORT?: number | undefined;
  GODWIT_BOARD_URL?: string | undefined;
  TEAMS_PORT?: number | undefined;
}

const everywhere = ["0.0.0.0", "::"];

/** Null for nowhere. Throws `UserError` where what is set cannot work together. */
export function boardOf(values: BoardVariables): BoardConfig | null {
  const { GODWIT_BOARD_PORT: port, GODWIT_BOARD_URL: url } = values;
  if (port === undefined) {
    if (url === undefined) return null;
    throw new UserError(
      "GODWIT_BOARD_URL is set and GODWIT_BOARD_PORT is not: nothing would listen there. Set both, or unset GODWIT_BOARD_URL. See docs/operate.md.",
    );
  }
  if (values.QUEUE_URL === undefined) {
    throw new UserError(
      "GODWIT_BOARD_PORT is set and QUEUE_URL is not: a queue within one process has no board. Set QUEUE_URL, or unset GODWIT_BOARD_PORT; `queue` tells how the queue is in any case. See docs/operate.md.",
    );
  }
  const { GODWIT_PORT, GODWIT_HEALTH_PORT, TEAMS_PORT = 3978 } = values;
  if ([GODWIT_PORT, GODWIT_HEALTH_PORT, TEAMS_PORT].includes(port)) {
    throw new UserError(
      "GODWIT_BOARD_PORT is the port of something else: of GODWIT_PORT, GODWIT_HEALTH_PORT or TEAMS_PORT. Set it to one of its own, like 4990, or unset it: then the queue has no board. See docs/operate.md.",
    );
  }
  if (url === undefined && everywhere.includes(values.GODWIT_HOST)) {
    throw new UserError(
      "GODWIT_BOARD_URL is not set, and GODWIT_HOST is every address of this machine, which no browser opens. Set GODWIT_BOARD_URL to the address people open, like https://queue.example.com. See docs/operate.md.",
    );
  }
  return { port, url: url === undefined ? null : new URL(url).origin };
}

/** Whether it is an address people can open: `http://` or `https://`, a host, perhaps a port, and nothing more. */
export function isOrigin(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, username, password, pathname, search, hash } = new URL(text);
  return (
    /^https?:$/.test(protocol) &&
    `${username}${password}${search}${hash}` === "" &&
    pathname === "/"
  );
}

/** What `doctor` says of it. Throws `UserError` where others could read along. */
export function checkBoard(board: BoardConfig, host: string, owners: number): string {
  const origin = originOf(board, host);
  const { protocol, hostname } = new URL(origin);
  const here = hostname === "localhost" || hostname === "[::1]" || hostname.startsWith("127.");
  if (protocol === "http:" && !here) {
    throw new UserError(
      `${origin} is not TLS: whoever is on the way can take an owner's link and session. Put a proxy or tunnel that speaks TLS before it, and its address, https://…, into GODWIT_BOARD_URL.`,
    );
  }
  const whom = owners === 0 ? "whoever is at this machine; GODWIT_OWNERS names nobody" : "owners";
  return `${origin}, to look at, for ${whom}`;
}

/** The address people open. */
export function originOf({ port, url }: BoardConfig, host: string): string {
  return url ?? `http://${named(host)}:${port}`;
}

/**
 * The origins of the board's own pages by the host it is asked from. A proxy hands on the host people opened, or
 * names the address it knows us by.
 */
export function ourOrigins(board: BoardConfig, host: string): Map<string, string[]> {
  const outside = new URL(originOf(board, host));
  const loopback = [...everywhere, "127.0.0.1", "::1", "localhost"].includes(host);
  const here = loopback ? ["127.0.0.1", "localhost", "[::1]"] : [named(host).toLowerCase()];
  const inside = here.map((one) => `${one}:${board.port}`);
  const origins = new Map(inside.map((one) => [one, [`http://${one}`, outside.origin]]));
  return origins.set(outside.host, [outside.origin]);
}

function named(host: string): string {
  return host.includes(":") ? `[${host}]` : host;
}
