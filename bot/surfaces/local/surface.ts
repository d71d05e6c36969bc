import { randomBytes } from "node:crypto";
import type { Thread, Transcript, TranscriptLine } from "../../../engine/domain/thread.ts";
import type { Message } from "../../message.ts";
import type { Person, Surface } from "../../surface.ts";
import { passRecord } from "./json.ts";

/** The one channel of the local surface. */
export const localChannel: Thread = "local:main";

/** The surface of this machine: every message is a line of the transcript, which other processes read. */
export function localSurface(transcript: Transcript): Surface {
  const keys = keyIndex(transcript);
  const write = async (line: Omit<TranscriptLine, "id" | "at" | "for">) => {
    await transcript.write({ for: null, ...line });
  };
  return {
    name: "local",
    async post(channel, message, key) {
      const thread = `${channel}:${randomBytes(5).toString("hex")}`;
      await write({ kind: "post", thread, text: message.text, extra: extra(message, key) });
      return thread;
    },
    edit: (thread, message) =>
      write({ kind: "edit", thread, text: message.text, extra: extra(message) }),
    reply: (thread, message, { key, aloud } = {}) =>
      write({
        kind: "reply",
        thread,
        text: message.text,
        extra: { ...extra(message, key), ...(aloud === true ? { aloud } : {}) },
      }),
    async private({ place, person }, message) {
      await transcript.write({
        kind: "private",
        thread: place,
        for: person,
        text: message.text,
        extra: extra(message),
      });
    },
    async form({ place, person }, form) {
      const text = [form.title, form.intro].filter(Boolean).join("\n");
      await transcript.write({
        kind: "private",
        thread: place,
        for: person,
        text,
        extra: { form },
      });
    },
    pin: () => Promise.resolve(),
    find: (place, key) => keys.find(place, key),
    async ended(thread, pass) {
      const key = `pass:${pass.id}`;
      if ((await keys.find(thread, key)) !== null) return;
      await write({ kind: "pass", thread, text: "", extra: { key, pass: passRecord(pass) } });
    },
    person: (typed) => Promise.resolve(personNamed(typed)),
    link: () => null,
  };
}

/** Everybody who is played at this machine, by `local:bo` or `bo`. */
function personNamed(typed: string): Person | null {
  const name = /^(?:local:)?([a-z0-9][a-z0-9._-]{0,39})$/i.exec(typed)?.[1]?.toLowerCase();
  return name === undefined ? null : { id: `local:${name}`, name, guest: false };
}

function extra(message: Message, key?: string): Record<string, unknown> {
  const { text: _, ...rest } = message;
  return key === undefined ? rest : { ...rest, key };
}

/** As many keys are remembered: who asks wants to know of what was said a moment ago. */
const remembered = 300;

/** Where each key was used last, kept up with the transcript as it grows. */
function keyIndex(transcript: Transcript): {
  find(place: Thread, key: string): Promise<Thread | null>;
} {
  const threads = new Map<string, Thread[]>();
  let read = 0;
  let reading = Promise.resolve();
  const catchUp = async () => {
    for (;;) {
      const lines = await transcript.after(read, 1000);
      for (const line of lines) {
        read = line.id;
        const { key } = line.extra;
        if (typeof key !== "string") continue;
        threads.set(key, [...(threads.get(key) ?? []), line.thread]);
        const [oldest] = threads.keys();
        if (threads.size > remembered && oldest !== undefined) threads.delete(oldest);
      }
      if (lines.length < 1000) return;
    }
  };
  return {
    async find(place, key) {
      // One reader at a time, or a line would be taken twice.
      reading = reading.then(catchUp, catchUp);
      await reading;
      const found = threads.get(key) ?? [];
      return found.find((thread) => thread === place || thread.startsWith(`${place}:`)) ?? null;
    },
  };
}
