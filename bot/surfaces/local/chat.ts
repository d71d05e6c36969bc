import { randomUUID } from "node:crypto";
import type { Clock } from "../../../engine/domain/clock.ts";
import { ended, type Passes, type PassId } from "../../../engine/domain/pass.ts";
import type { Transcript } from "../../../engine/domain/thread.ts";
import type { Bot } from "../../bot.ts";
import type { Incoming } from "../../surface.ts";
import { follow } from "./follow.ts";
import { jsonLine } from "./json.ts";
import { plainLine } from "./render.ts";
import { localChannel } from "./surface.ts";

export interface ChatOptions {
  commands: string[];
  /** Whom to play; null for the owner. */
  as: string | null;
  json: boolean;
  /** Whether to wait for the passes that were started. */
  wait: boolean;
  print(line: string): void;
  /** What cannot stand in the channel. */
  tell(text: string): void;
  bot: Bot;
  transcript: Transcript;
  passes: Passes;
  clock: Clock;
  /** How often it looks for new lines, in ms. */
  lookMs?: number;
}

/**
 * Plays a person at this machine: types each command, prints the channel as it grows, waits for the passes it
 * started and for what the narrator says of them (here or in another process). Answers the exit code: 0 when
 * all were accepted and every pass completed without failed items, 3 when a pass ended otherwise, 2 when a
 * command was refused, 1 for anything else; after 1 and 2 nothing more is typed.
 */
export async function runChat(options: ChatOptions): Promise<0 | 1 | 2 | 3> {
  const { commands, bot, transcript, clock, lookMs = 100 } = options;
  const person = localPerson(options.as);
  const over = new Set<string>();
  const lines = await follow(transcript, person.id);
  const flush = async () => {
    for (const line of await lines.next()) {
      const pass = line.extra.pass as { id?: unknown } | undefined;
      if (line.kind === "pass" && typeof pass?.id === "string") over.add(pass.id);
      const shown = options.json ? jsonLine(line) : plainLine(line);
      if (shown !== null) options.print(shown);
    }
  };
  let code: 0 | 3 = 0;
  for (const text of commands) {
    const outcome = await bot.handle(localIncoming(text, person));
    await flush();
    if (outcome.untold !== null) options.tell(outcome.untold);
    if (outcome.result === "refused") return 2;
    if (outcome.result === "failed") return 1;
    if (!options.wait) continue;
    while (!outcome.passes.every((pass) => over.has(String(pass)))) {
      await clock.sleep(lookMs);
      await flush();
    }
    if (!(await allWell(outcome.passes, options.passes))) code = 3;
  }
  return code;
}

/** A person at this machine by their short name. */
export function localPerson(as: string | null): Incoming["person"] {
  return { id: `local:${as ?? "owner"}`, name: as ?? "owner", guest: false };
}

/** What somebody typed at this machine. */
export function localIncoming(text: string, person: Incoming["person"]): Incoming {
  return {
    surface: "local",
    person,
    channel: localChannel,
    thread: null,
    text,
    values: null,
    eventId: randomUUID(),
    trigger: null,
    link: null,
    capabilities: { readsThisMachine: true, cannotPost: null },
  };
}

async function allWell(ids: PassId[], passes: Passes): Promise<boolean> {
  for (const id of ids) {
    const { state, counters } = await passes.snapshot(id);
    if (!ended(state) || state !== "completed" || counters.failed > 0) return false;
  }
  return true;
}
