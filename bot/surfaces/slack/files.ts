import type { Secret } from "../../../engine/domain/secret.ts";
import { ChatError } from "../../surface.ts";
import type { SlackApi } from "./api.ts";

/** The largest file that is taken, in bytes. */
const mostBytes = 5 * 1024 * 1024;

/** The text of a file somebody sent. Throws `ChatError` where it cannot be had. */
export async function download(
  id: string,
  api: SlackApi,
  token: Secret,
  apiUrl: string | null,
): Promise<string> {
  const { file } = await api.call(() => api.speaking.files.info({ file: id }));
  const url = file?.url_private_download ?? file?.url_private;
  if (url === undefined || !isSlacks(url, apiUrl)) {
    throw new ChatError("Slack does not say where the file is.", "refused");
  }
  if ((file?.size ?? 0) > mostBytes) throw new ChatError("The file is over 5 MB.", "refused");
  let response: Response;
  try {
    response = await fetch(url, {
      headers: { authorization: `Bearer ${token.reveal()}` },
      // The token is Slack's alone, wherever Slack might send us.
      redirect: "error",
      signal: AbortSignal.timeout(30_000),
    });
  } catch (error) {
    throw new ChatError("Slack does not hand over the file.", "unreachable", { cause: error });
  }
  if (!response.ok) throw new ChatError(`Slack answers ${response.status}.`, "unreachable");
  return text(response);
}

async function text(response: Response): Promise<string> {
  const parts: Uint8Array[] = [];
  let size = 0;
  for await (const part of response.body ?? []) {
    size += part.byteLength;
    if (size > mostBytes) throw new ChatError("The file is over 5 MB.", "refused");
    parts.push(part);
  }
  return Buffer.concat(parts).toString("utf8");
}

/** Whether an address is Slack's own, or that of the server put in its place. */
function isSlacks(url: string, apiUrl: string | null): boolean {
  const at = new URL(url);
  if (apiUrl !== null && at.origin === new URL(apiUrl).origin) return true;
  return at.protocol === "https:" && /(^|\.)slack\.com$/.test(at.hostname);
}

/** Hands a file to one person in the direct messages with them. */
export async function upload(
  { name, content }: { name: string; content: string },
  user: string,
  api: SlackApi,
): Promise<void> {
  const { channel } = await api.answer(() => api.speaking.conversations.open({ users: user }));
  if (channel?.id === undefined) throw new ChatError("Slack opens no direct message.", "refused");
  const { id } = channel;
  await api.answer(() =>
    api.speaking.filesUploadV2({ channel_id: id, filename: name, content, title: name }),
  );
}
