import { z } from "zod";
import { ChatError } from "../../surface.ts";

/** An error of the Bot Connector, in the parts that are used. */
const Refusal = z.object({
  statusCode: z.number(),
  body: z
    .object({ error: z.object({ code: z.string() }).partial() })
    .partial()
    .nullish(),
  response: z.object({ headers: z.object({ get: z.function() }).optional() }).nullish(),
});

/** Teams has no number of its own for these. */
const unsaid = 1000;

/** An error on the way to Teams as what a surface throws; our own faults as they are. */
export function chatError(error: unknown): unknown {
  if (error instanceof ChatError) return error;
  const { success, data } = Refusal.safeParse(error);
  if (!success) return isNetwork(error) ? unreachable("Teams does not answer.", error) : error;
  const { statusCode: status } = data;
  const code = data.body?.error?.code;
  const words = code === undefined ? `${status}` : `${status} ${code}`;
  if (status === 429) {
    return new ChatError("Teams asks for a pause.", "limited", {
      retryAfterMs: retryAfter(error) ?? unsaid,
    });
  }
  if (status === 412) {
    return new ChatError("Teams is busy with that thread.", "limited", { retryAfterMs: unsaid });
  }
  if (status >= 500) return unreachable(`Teams answers ${words}.`, error);
  return new ChatError(remedy(status, words), "refused", { cause: error });
}

function unreachable(text: string, cause: unknown): ChatError {
  return new ChatError(text, "unreachable", { retryAfterMs: unsaid, cause });
}

function remedy(status: number, words: string): string {
  switch (status) {
    case 401:
      return "Teams does not accept the bot's password. Set MICROSOFT_APP_PASSWORD anew.";
    case 403:
      return `Teams does not let me speak there (${words}). Add the app to that team or chat first.`;
    case 404:
      return `Teams knows no such conversation or message (${words}). Mention me there once more.`;
    case 413:
      return `Teams finds the message too long (${words}).`;
    default:
      return `Teams refuses it (${words}).`;
  }
}

function retryAfter(error: unknown): number | null {
  const { headers } = (error as { response?: { headers?: Headers } }).response ?? {};
  const given = headers?.get("retry-after");
  const seconds = Number(given);
  return given && Number.isFinite(seconds) && seconds >= 0 ? seconds * 1000 : null;
}

/** What sockets, name servers and the sign-in service say when they are not reached. */
function isNetwork(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const { code, errorCode } = error as { code?: unknown; errorCode?: unknown };
  if (errorCode === "network_error" || errorCode === "endpoints_resolution_error") return true;
  if (error.name === "FetchError" || error.name === "AbortError") return true;
  return typeof code === "string" && /^E[A-Z_]+$|^REQUEST_SEND_ERROR$/.test(code);
}
