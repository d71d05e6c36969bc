import { PassThrough } from "node:stream";
import { expect, test } from "vitest";
import { makeBot } from "../../bot/bot.ts";
import { commands } from "../../bot/commands/table.ts";
import { localIncoming, localPerson } from "../../bot/surfaces/local/chat.ts";
import { localSurface } from "../../bot/surfaces/local/surface.ts";
import { runTerminal } from "../../bot/surfaces/local/terminal.ts";
import { chatWorld } from "../doubles/chat-world.ts";
import { memoryWorld } from "../doubles/memory-world.ts";

const why =
  "The database's file cannot be read or written. Look at its disk and its permissions. Runs wait and go on by themselves when that is mended.";

test("while the database cannot be written, whoever types is told so where the chat itself can be reached", async () => {
  await using world = await memoryWorld();
  const { desk, database } = world.godwit;
  const told: string[] = [];
  const logged: string[] = [];
  const bot = makeBot({
    desk,
    surfaces: [
      {
        ...localSurface(desk.transcript),
        private: async (_to, { text }) => void told.push(text),
      },
    ],
    commands,
    machine: { env: () => undefined, readFile: () => Promise.reject(), ownVariables: [] },
    options: { owners: ["local:owner"], endpointsAllowed: [] },
    log: { error: ({ err }) => void logged.push(String(err)) },
  });
  const type = (text: string) => bot.handle(localIncoming(text, localPerson(null)));

  await database.knex.raw("pragma query_only = on");
  const refused = await type("status");
  await database.knex.raw("pragma query_only = off");
  const accepted = await type("status");

  expect(refused.result).toBe("failed");
  expect(told[0]).toBe(`${why} Nothing was done: type it again then.`);
  expect(logged).toEqual([`UnavailableError: ${why}`]);
  expect(accepted.result).not.toBe("failed");
});

test("in the terminal it is said beside the channel, which is in the database, and by the chat verb", async () => {
  await using world = await chatWorld();
  const mend = await world.failDisk();
  const output = new PassThrough();
  const input = new PassThrough();
  input.end("status\n");

  await runTerminal({
    ...{ input, output, prompt: false, as: null, bot: world.bot },
    transcript: world.desk.transcript,
    clock: {
      now: world.clock.now,
      sleep: () => new Promise<void>((next) => setImmediate(next)),
    },
    signal: new AbortController().signal,
  });
  const typed = await world.chat(["status", "status"]);
  await mend();

  const said = `${why} Nothing was done: type it again then.`;
  expect(String(output.read())).toBe(`${said}\n`);
  expect(typed).toEqual({ code: 1, printed: [], untold: [said] });
  expect((await world.chat(["help"])).untold).toEqual([]);
});
