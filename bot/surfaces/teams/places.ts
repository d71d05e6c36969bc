import type { Thread } from "../../../engine/domain/thread.ts";

/** A conversation of Teams, and the message at the head of a thread in it. */
export interface Place {
  conversation: string;
  root: string | null;
}

/** Teams names a thread of a channel by its root message, behind the channel's own name. */
const rootMark = ";messageid=";

/** The name of a conversation or of a thread in it; their own names hold colons. */
export function threadOf({ conversation, root }: Place): Thread {
  const channel = `teams:${encodeURIComponent(conversation)}`;
  return root === null ? channel : `${channel}:${encodeURIComponent(root)}`;
}

/** What a name of ours means; null where it is none. */
export function placeOf(thread: Thread): Place | null {
  const [surface, conversation, root, ...more] = thread.split(":");
  if (surface !== "teams" || !conversation || more.length > 0) return null;
  try {
    return {
      conversation: decodeURIComponent(conversation),
      root: root ? decodeURIComponent(root) : null,
    };
  } catch {
    return null;
  }
}

/** `19:…@thread.tacv2;messageid=17…` taken apart. */
export function conversationOf(id: string): Place {
  const at = id.indexOf(rootMark);
  if (at < 0) return { conversation: id, root: null };
  return { conversation: id.slice(0, at), root: id.slice(at + rootMark.length) || null };
}

/** The same put together, for what goes into a thread of a channel. */
export function conversationId({ conversation, root }: Place): string {
  return root === null ? conversation : `${conversation}${rootMark}${root}`;
}

/** The id of a person in our names: that of the directory where Teams gives it. */
export function personId(id: string): string {
  return `teams:${encodeURIComponent(id)}`;
}

/** What Teams calls somebody whom we call `teams:…`; null for others. */
export function idOf(person: string): string | null {
  const id = /^teams:([^\s:]+)$/.exec(person)?.[1];
  if (id === undefined) return null;
  try {
    return decodeURIComponent(id);
  } catch {
    return null;
  }
}

/** Where Teams shows a message; it has no address for a channel that its id alone would make. */
export function linkOf(thread: Thread): string | null {
  const place = placeOf(thread);
  if (place === null || place.root === null) return null;
  const { conversation, root } = place;
  return `https://teams.microsoft.com/l/message/${encodeURIComponent(conversation)}/${encodeURIComponent(root)}`;
}
