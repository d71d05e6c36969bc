import type { Posts } from "../engine/domain/thread.ts";
import type { Said } from "./command.ts";
import type { Message } from "./message.ts";
import { type Asker, ChatError, type Incoming, type Surface } from "./surface.ts";

/** Says a command's answer where it belongs. Throws `ChatError` where the platform takes it in no way. */
export async function say(
  said: Said[],
  incoming: Incoming,
  surface: Surface,
  posts: Posts,
): Promise<void> {
  const { channel, thread, person, trigger } = incoming;
  const to: Asker = { person: person.id, place: thread ?? channel, trigger };
  let failed: ChatError | null = null;
  for (const one of said) {
    try {
      await sayOne(one, incoming, to, surface, posts);
    } catch (error) {
      // What else there is to say may yet be taken.
      if (!(error instanceof ChatError)) throw error;
      failed ??= error;
    }
  }
  if (failed !== null) throw failed;
}

async function sayOne(
  one: Said,
  { channel, thread }: Incoming,
  to: Asker,
  surface: Surface,
  posts: Posts,
): Promise<void> {
  switch (one.how) {
    case "private":
      await surface.private(to, one.message);
      break;
    case "reply":
      if (thread === null) await surface.private(to, one.message);
      else await surface.reply(thread, one.message);
      break;
    case "form":
      await surface.form(to, one.form);
      break;
    case "post": {
      const posted = await post(one.message, one.key, to, channel, surface);
      if (posted !== null && one.key !== undefined) await posts.note(one.key, posted);
      if (posted !== null && one.pin === true) await surface.pin(posted, true);
      break;
    }
    case "rewrite": {
      const at = (await posts.thread(one.key)) ?? (await surface.find(channel, one.key));
      if (at === null) break;
      await surface.edit(at, one.message);
      if (one.pin === false) await surface.pin(at, false);
      break;
    }
  }
}

/** What the channel does not take, the person who asked is told: it was done all the same. */
async function post(
  message: Message,
  key: string | undefined,
  to: Asker,
  channel: string,
  surface: Surface,
): Promise<string | null> {
  try {
    return await surface.post(channel, message, key);
  } catch (error) {
    if (!(error instanceof ChatError)) throw error;
    await surface.private(to, message);
    return null;
  }
}
