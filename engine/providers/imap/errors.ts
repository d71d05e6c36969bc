import type { ImapResponse } from "imapflow";
import { harmless, TransientError, UserError } from "../../domain/errors.ts";
import { scrub } from "../../domain/secret.ts";
import { certificateCodes, goneCodes, silentCodes, spentCodes } from "./codes.ts";
import { overLimit } from "./over-limit.ts";

/** Whose connection it is: enough to name it to people, and what must never be said. */
export interface Who {
  mailbox: string;
  endpoint: string;
  endpointId: number;
  host: string;
  port: number;
  /** How a refused login is put right. */
  remedy: string;
  secrets: readonly string[];
}

/** What imapflow throws, as far as we look at it. */
interface Raw extends Error {
  code?: string;
  /** NO or BAD. */
  responseStatus?: string;
  responseText?: string;
  response?: ImapResponse | string;
  serverResponseCode?: string;
  /** The text of a BYE. */
  reason?: string;
  throttleReset?: number;
  tlsFailed?: boolean;
  authenticationFailed?: boolean;
}

/** Words of a server, made safe to show and without any secret of ours they may repeat. */
export function words(text: string | undefined, who: Who): string {
  let said = text ?? "";
  for (const secret of who.secrets) if (secret !== "") said = said.replaceAll(secret, "[secret]");
  return harmless(scrub(said)) || "no reason given";
}

/** The response code of an answer, `[LIMIT]`, and what stands behind it in the brackets. */
export function responseCode(answer: ImapResponse | string | undefined): string[] {
  if (answer === undefined || typeof answer === "string") return [];
  const section = answer.attributes?.[0]?.section;
  return (section ?? []).map((part) => String(part?.value ?? "").toUpperCase());
}

/** The human words of an answer. */
export function responseText(answer: ImapResponse): string {
  const texts = (answer.attributes ?? []).filter((one) => one?.type === "TEXT");
  return texts.map((one) => String(one?.value ?? "").trim()).join(" ");
}

/** NO or BAD with its code and words, null for anything else that was thrown. */
export function refusal(
  error: unknown,
): { status: "NO" | "BAD"; code: string[]; text: string } | null {
  const raw = error as Raw;
  if (raw?.responseStatus !== "NO" && raw?.responseStatus !== "BAD") return null;
  const code =
    raw.serverResponseCode === undefined
      ? responseCode(raw.response)
      : [raw.serverResponseCode.toUpperCase()];
  return { status: raw.responseStatus, code, text: raw.responseText ?? "" };
}

/** A refusal that time will mend, whatever was asked; null where the command itself was refused. */
export function passing(said: { code: string[]; text: string }, who: Who): TransientError | null {
  const wait = /backoff time[:=\s]+(\d+)/i.exec(said.text);
  if (wait !== null || /\bthrottl/i.test(said.text)) {
    const retryAfterMs = wait === null ? undefined : Number(wait[1]);
    return new TransientError(
      `${who.endpoint} wants a pause: ${words(said.text, who)}`,
      "throttled",
      { retryAfterMs, server: who.endpointId },
    );
  }
  if (["UNAVAILABLE", "INUSE"].includes(said.code[0] ?? "")) {
    return new TransientError(
      `${who.endpoint} cannot serve ${who.mailbox} now: ${words(said.text, who)}`,
      "server unavailable",
      // In use is this mailbox alone (RFC 5530).
      { server: said.code[0] === "INUSE" ? undefined : who.endpointId },
    );
  }
  return null;
}

/**
 * What was thrown while a command ran, as an error of ours; `server` where it speaks for all its mailboxes. What is not the connection's is given back as it is. */
export function lost(error: unknown, who: Who, failure: unknown, server?: number): unknown {
  const raw = error as Raw;
  const earlier = failure as Raw | null;
  const closed = goneCodes.includes(raw?.code ?? "");
  const limit = overLimit(raw, who) ?? (closed ? overLimit(failure, who, server) : null);
  if (limit !== null) return limit;
  if (!closed || raw.code === undefined) {
    if (
      raw?.code === undefined ||
      !/^(ParserError|MAX_IMAP_NESTING|Literal|Line|Response)/.test(raw.code)
    )
      return error;
    return new TransientError(
      `${who.endpoint} answered what cannot be read (${raw.code}).`,
      "connection",
    );
  }
  const silent = [raw.code, earlier?.code].some((code) => silentCodes.includes(code ?? ""));
  const bye = raw.reason === undefined ? "" : `: ${words(raw.reason, who)}`;
  return new TransientError(
    `The connection to ${who.endpoint} for ${who.mailbox} ${silent ? "went silent" : "ended"}${bye}.`,
    tooMany(raw.reason) ? "connection limit" : "connection",
    {
      silent,
      server: tooMany(raw.reason) ? who.endpointId : server,
      cause: new Error(earlier?.code ?? raw.code),
    },
  );
}

/** What was thrown before the mailbox was open, as an error of ours. */
export function notConnected(error: unknown, who: Who, failure: unknown): unknown {
  if (error instanceof UserError || error instanceof TransientError) return error;
  const raw = error as Raw;
  const said = refusal(error);
  if (said !== null) return loginRefused(said, who);
  const code = raw?.code ?? "";
  if (certificateCodes.includes(code) || /^CERT_|^UNABLE_TO_/.test(code)) {
    return new UserError(
      `The certificate of ${who.endpoint} (${who.host}:${who.port}) is not trusted: ${certificateFault(raw)}. Nothing was sent to it. Give the authority with \`endpoint set ${who.endpoint} --ca <file>\` or pin the certificate with \`endpoint set ${who.endpoint} --fingerprint <sha256>\`.`,
    );
  }
  if (code === "ENOTFOUND" || code === "EAI_NONAME") {
    return new UserError(
      `There is no server called ${who.host} (endpoint ${who.endpoint}). Nothing was carried. Correct the host with \`endpoint set ${who.endpoint} imaps://<host>\`.`,
    );
  }
  if (code === "EPROTO" || code.startsWith("ERR_SSL")) {
    return new UserError(
      `${who.endpoint} (${who.host}:${who.port}) does not speak TLS 1.2 or later on this port. Nothing was sent to it. Use imaps:// for the TLS port (993) and imap:// for STARTTLS (143) in \`endpoint set ${who.endpoint} …\`.`,
    );
  }
  if (raw?.tlsFailed === true && !goneCodes.includes(code)) {
    return new UserError(
      `${who.endpoint} (${who.host}:${who.port}) does not offer a safe STARTTLS. Nothing was sent to it. Use imaps:// in \`endpoint set ${who.endpoint} …\`.`,
    );
  }
  if (raw?.authenticationFailed === true && !goneCodes.includes(code)) {
    return new UserError(
      `${who.endpoint} lets nobody log in the way we can (${words(raw.message, who)}). Nothing was carried. Use imaps:// or imap:// with STARTTLS in \`endpoint set ${who.endpoint} …\`.`,
    );
  }
  if (["ECONNREFUSED", "EHOSTUNREACH", "ENETUNREACH"].includes(code)) {
    return new TransientError(
      `${who.endpoint} (${who.host}:${who.port}) cannot be reached.`,
      "connection",
      { server: who.endpointId, cause: new Error(code) },
    );
  }
  if (spentCodes.includes(code)) {
    return new TransientError(
      `${who.endpoint} (${who.host}:${who.port}) cannot be reached: this machine has no room for another connection (${code}).`,
      "connection",
      { server: who.endpointId, cause: new Error(code) },
    );
  }
  return lost(error, who, failure, who.endpointId);
}

function loginRefused(said: { code: string[]; text: string }, who: Who): Error {
  const mended = passing(said, who);
  if (mended !== null) return mended;
  const [code = ""] = said.code;
  if (code === "LIMIT" || tooMany(said.text)) {
    return new TransientError(
      `${who.endpoint} takes no more connections for ${who.mailbox}: ${words(said.text, who)}`,
      "connection limit",
      { server: who.endpointId },
    );
  }
  const temporary = /temporar|try again|unavailable|internal error/i.test(said.text);
  if (temporary && !/^AUTH/.test(code)) {
    return new TransientError(
      `${who.endpoint} cannot log ${who.mailbox} in now: ${words(said.text, who)}`,
      "server unavailable",
      { server: who.endpointId },
    );
  }
  return new UserError(
    `Login refused for ${who.mailbox} at ${who.endpoint}: ${words(said.text, who)} Nothing was carried. ${who.remedy}`,
  );
}

function tooMany(text: string | undefined): boolean {
  return /too many|maximum number of connections|simultaneous|connection limit/i.test(text ?? "");
}

function certificateFault(raw: Raw): string {
  switch (raw.code) {
    case "CERT_HAS_EXPIRED":
      return "it has expired";
    case "CERT_NOT_YET_VALID":
      return "it is not valid yet";
    case "ERR_TLS_CERT_ALTNAME_INVALID":
      return "it belongs to another name";
    case "DEPTH_ZERO_SELF_SIGNED_CERT":
    case "SELF_SIGNED_CERT_IN_CHAIN":
      return "it is signed by itself";
    default:
      return "its authority is not known";
  }
}
