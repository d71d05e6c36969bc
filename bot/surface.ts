import type { PassSnapshot } from "../engine/domain/pass.ts";
import type { Thread } from "../engine/domain/thread.ts";
import type { Message } from "./message.ts";

/**
 * Where people talk to us. A thread is named after its root message, so that `post` answers with both.
 * A message is drawn as the surface can; outside text in it is escaped there.
 */
export interface Surface {
  /** The first word of its threads: `local`, `slack`, `teams`. */
  readonly name: string;
  /** A root message for everybody in the channel. With a key it can be found again. */
  post(channel: Thread, message: Message, key?: string): Promise<Thread>;
  /** Rewrites a root message. */
  edit(thread: Thread, message: Message): Promise<void>;
  reply(thread: Thread, message: Message, key?: string): Promise<void>;
  /** Seen by one person only; `place` is the channel or thread they typed in. */
  private(place: Thread, person: string, message: Message): Promise<void>;
  /** The thread of what was posted or replied with this key; null where there is none or the platform cannot tell. */
  find(place: Thread, key: string): Promise<Thread | null>;
  /** A pass is over, all about it was said: for surfaces that hand records to scripts. Does it once. */
  ended(thread: Thread, pass: PassSnapshot): Promise<void>;
}

/** What somebody typed, or a button typed for them. */
export interface Incoming {
  surface: string;
  person: Person;
  channel: Thread;
  /** The thread it was typed in, if any. */
  thread: Thread | null;
  text: string;
  /** The same event delivered again has the same id. */
  eventId: string;
  capabilities: Capabilities;
}

/** `id` begins with the surface's name, like `local:owner`. */
export interface Person {
  id: string;
  name: string;
}

export interface Capabilities {
  /** The person sits at the machine Godwit runs on: options that read its files and variables work. */
  readsThisMachine: boolean;
}
