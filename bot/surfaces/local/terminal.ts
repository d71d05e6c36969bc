import { createInterface } from "node:readline";
import type { Clock } from "../../../engine/domain/clock.ts";
import type { Transcript } from "../../../engine/domain/thread.ts";
import type { Bot } from "../../bot.ts";
import { localIncoming, localPerson } from "./chat.ts";
import { follow } from "./follow.ts";
import { plainLine } from "./render.ts";

export interface TerminalOptions {
  input: NodeJS.ReadableStream;
  output: NodeJS.WritableStream;
  /** Whether a person sits there: then a prompt is shown. */
  prompt: boolean;
  /** Whom to play; null for the owner. */
  as: string | null;
  bot: Bot;
  transcript: Transcript;
  clock: Clock;
  /** Ends it from outside. */
  signal: AbortSignal;
  /** How often it looks for new lines, in ms. */
  lookMs?: number;
}

/**
 * A prompt: each line typed is a command, and the channel is shown as it grows, whoever spoke. Ends with the
 * input, with `exit` or `quit`, or with the signal; commands under way are answered first. Answers whether a
 * person asked for the end.
 */
export async function runTerminal(options: TerminalOptions): Promise<{ asked: boolean }> {
  const { input, output, bot, transcript, clock, lookMs = 200 } = options;
  const person = localPerson(options.as);
  const lines = await follow(transcript, person.id);
  const over = new AbortController();
  const signal = AbortSignal.any([options.signal, over.signal]);
  const reader = createInterface({ input, output, terminal: options.prompt, prompt: "you> " });
  const show = async () => {
    const shown = (await lines.next()).map(plainLine).filter((line) => line !== null);
    if (shown.length === 0) return;
    output.write(`${options.prompt ? "\r\u001b[K" : ""}${shown.join("\n")}\n`);
    if (options.prompt && !signal.aborted) reader.prompt(true);
  };
  const showing = (async () => {
    while (!signal.aborted) {
      await show();
      await clock.sleep(lookMs, signal);
    }
  })();
  signal.addEventListener("abort", () => reader.close());
  if (signal.aborted) reader.close();
  else if (options.prompt) reader.prompt();
  let asked = false;
  for await (const text of reader) {
    asked = /^\s*(exit|quit)\s*$/i.test(text);
    if (asked) break;
    if (text.trim() !== "") {
      const { untold } = await bot.handle(localIncoming(text, person));
      if (untold !== null) output.write(`${untold}\n`);
    }
    if (options.prompt && !signal.aborted) reader.prompt();
  }
  over.abort();
  reader.close();
  await showing;
  await show();
  return { asked };
}
