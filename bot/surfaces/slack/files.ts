import type { Secret } from "../../../engine/domain/secret.ts";
import type { Message } from "../../message.ts";
import { ChatError } from "../../surface.ts";
import type { SlackApi } from "./api.ts";
import { cut, still } from "./inert.ts";
import type { SlackPlace } from "./places.ts";

/** The largest file that is taken, in bytes. */
const mostBytes = 5 * 1024 * 1024;
/** The longest description of a picture Slack takes, in letters. */
const mostAlt = 1000;

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

/** A file to be handed over. */
export interface Outgoing {
  name: string;
  title: string;
  bytes: Buffer;
  /** What a picture shows. */
  alt?: string;
}

/** Everything of a message that goes as a file. */
export function filesOf({ file, pictures = [] }: Message): Outgoing[] {
  const shown = pictures.map(({ name, title, alt, png }) => {
    return {
      name,
      title: still(title),
      alt: cut(still(alt), mostAlt),
      bytes: Buffer.from(png, "base64"),
    };
  });
  if (file === undefined) return shown;
  const { name, content } = file;
  return [{ name, title: name, bytes: Buffer.from(content) }, ...shown];
}

/**
 * Hands files over in a channel or a thread, in one message. Slack's SDK does the same, but sends what a picture
 * shows by a name that Slack does not know (`alt_text`): nobody would hear it.
 */
export async function upload(
  files: Outgoing[],
  { channel, ts }: SlackPlace,
  api: SlackApi,
): Promise<void> {
  const sent: { id: string; title: string }[] = [];
  for (const { name, title, bytes, alt } of files) {
    const asked = { filename: name, length: bytes.length, ...(alt ? { alt_txt: alt } : {}) };
    const given = await api.answer(() => api.speaking.files.getUploadURLExternal(asked));
    const { upload_url: url, file_id: id } = given;
    if (url === undefined || id === undefined) {
      throw new ChatError("Slack takes no file.", "refused");
    }
    await deliver(bytes, url);
    sent.push({ id, title });
  }
  const [first, ...rest] = sent;
  if (first === undefined) return;
  const where = ts === null ? { channel_id: channel } : { channel_id: channel, thread_ts: ts };
  await api.answer(() =>
    api.speaking.files.completeUploadExternal({ files: [first, ...rest], ...where }),
  );
}

async function deliver(bytes: Buffer, url: string): Promise<void> {
  let response: Response;
  try {
    response = await fetch(url, {
      method: "POST",
      headers: { "content-type": "application/octet-stream" },
      body: new Uint8Array(bytes),
      redirect: "error",
      signal: AbortSignal.timeout(30_000),
    });
  } catch (error) {
    throw new ChatError("Slack does not take the file.", "unreachable", { cause: error });
  }
  if (!response.ok) throw new ChatError(`Slack answers ${response.status}.`, "unreachable");
}

/** The direct messages with somebody. */
export async function directWith(user: string, api: SlackApi): Promise<SlackPlace> {
  const { channel } = await api.answer(() => api.speaking.conversations.open({ users: user }));
  if (channel?.id === undefined) throw new ChatError("Slack opens no direct message.", "refused");
  return { channel: channel.id, ts: null };
}
