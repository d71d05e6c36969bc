import type { PassSnapshot } from "../engine/domain/pass.ts";
import type { Secret } from "../engine/domain/secret.ts";
import type { Thread } from "../engine/domain/thread.ts";
import type { Form, Message } from "./message.ts";

/**
 * Where people talk to us. A thread is named after its root message, so that `post` answers with both.
 * A message is drawn as the surface can; everything in it is escaped there, once. Every method throws
 * `ChatError` where the platform did not take it.
 */
export interface Surface {
  /** The first word of its threads: `local`, `slack`, `teams`. */
  readonly name: string;
  /** A root message for everybody in the channel. With a key it can be found again. */
  post(channel: Thread, message: Message, key?: string): Promise<Thread>;
  /** Rewrites a root message. */
  edit(thread: Thread, message: Message): Promise<void>;
  reply(thread: Thread, message: Message, how?: ReplyHow): Promise<void>;
  /** Seen by one person only. */
  private(to: Asker, message: Message): Promise<void>;
  /** Opens a form for one person; where that cannot be done at once, a private button that asks for it again. */
  form(to: Asker, form: Form): Promise<void>;
  /** Keeps a root message at hand for everybody in its channel, or no longer; nothing where the platform cannot. */
  pin(thread: Thread, pinned: boolean): Promise<void>;
  /** The thread of what was posted or replied with this key; null where there is none or the platform cannot tell. */
  find(place: Thread, key: string): Promise<Thread | null>;
  /** A pass is over, all about it was said: for surfaces that hand records to scripts. Does it once. */
  ended(thread: Thread, pass: PassSnapshot): Promise<void>;
  /** Who is meant by what somebody typed (an id, an e-mail address); null where nobody is. */
  person(typed: string, place: Thread): Promise<Person | null>;
  /** Where people can read what stands in a channel or thread; null where there is no such address. */
  link(place: Thread): string | null;
}

export interface ReplyHow {
  /** With a key it can be found again. */
  key?: string;
  /** Shown in the channel itself as well, where the platform can. */
  aloud?: boolean;
}

/** Whom a private answer is for. */
export interface Asker {
  person: string;
  /** The channel or thread they typed in. */
  place: Thread;
  /** `Incoming.trigger` of what they typed or pressed. */
  trigger: string | null;
}

/** A surface, and how to hear what people type there. */
export interface Platform {
  surface: Surface;
  /**
   * Begins to hear. Each event is acknowledged to the platform before `handle` is called, and handed over with
   * the id the platform gives it again when it delivers it again. Disposing stops hearing, and waits for what
   * is being handled.
   */
  listen(handle: Handle): Promise<AsyncDisposable>;
  /**
   * Asks the platform whether it knows us. Answers as whom and how, for the operator; throws `UserError` that
   * says what to set.
   */
  check(): Promise<string>;
}

/** `Bot.handle`, whose answer a platform does not need. Never throws. */
export type Handle = (incoming: Incoming) => Promise<unknown>;

/** What somebody typed, or a button or a form typed for them. */
export interface Incoming {
  surface: string;
  person: Person;
  channel: Thread;
  /** The thread it was typed in, if any. */
  thread: Thread | null;
  text: string;
  /** What a form brought, by the names of its fields; null where none was sent. */
  values: ReadonlyMap<string, Secret> | null;
  /** The same event delivered again has the same id. */
  eventId: string;
  /** Handed back in `Asker`, for platforms where an answer belongs to a question; null where it is of no use. */
  trigger: string | null;
  /** Where this can be read, for the audit; null where there is no such address. */
  link: string | null;
  capabilities: Capabilities;
}

/** `id` begins with the surface's name, like `local:owner`. */
export interface Person {
  id: string;
  name: string;
  /** A guest, or somebody from another organisation: reads at most. */
  guest: boolean;
}

export interface Capabilities {
  /** The person sits at the machine Godwit runs on: options that read its files and variables work. */
  readsThisMachine: boolean;
  /** Null where we can post; else what to do first, said to the person. */
  cannotPost: string | null;
}

/** A platform did not take what we wanted to say. */
export class ChatError extends Error {
  override name = "ChatError";
  /**
   * `limited`: too much at once, nothing was said. `unreachable`: no answer, or a fault of theirs: it may have
   * been said. `refused`: it cannot be said there, the message says why; time does not help.
   */
  readonly kind: "limited" | "unreachable" | "refused";
  /** How long the platform asked to wait, in ms. */
  readonly retryAfterMs: number | undefined;

  constructor(
    message: string,
    kind: ChatError["kind"],
    options: { retryAfterMs?: number; cause?: unknown } = {},
  ) {
    super(message, { cause: options.cause });
    this.kind = kind;
    this.retryAfterMs = options.retryAfterMs;
  }
}
