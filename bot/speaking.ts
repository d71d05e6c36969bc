import type { Posts, Thread } from "../engine/domain/thread.ts";
import type { Message } from "./message.ts";
import { ChatError, type Surface } from "./surface.ts";

/** The surface a channel or thread is on; null where another process speaks there. */
export function surfaceOf(place: Thread, surfaces: Surface[]): Surface | null {
  return surfaces.find(({ name }) => place.startsWith(`${name}:`)) ?? null;
}

/** Whether the platform took it. What it did not take is said again by whoever looks whether it was. */
export async function taken(saying: () => Promise<unknown>): Promise<boolean> {
  try {
    await saying();
    return true;
  } catch (error) {
    if (error instanceof ChatError) return false;
    throw error;
  }
}

/** Posts what was not posted under this key before, as far as anybody knows. Throws `ChatError` where it cannot. */
export async function once(
  key: string,
  channel: Thread,
  message: Message,
  surface: Surface,
  posts: Posts,
): Promise<void> {
  if ((await posts.thread(key)) !== null) return;
  // One whose answer was lost may stand there.
  const posted = (await surface.find(channel, key)) ?? (await surface.post(channel, message, key));
  await posts.note(key, posted);
}
