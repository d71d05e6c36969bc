import { afterAll, beforeAll, expect, test } from "vitest";
import { openCommandLine } from "./servers/command-line.ts";
import { fullPass, type Several, setUp, startSeveral, verdicts } from "./servers/several.ts";

// The bot and two engines, each a process as people start it, on one PostgreSQL and one Redis.

let several: Several;
beforeAll(async () => {
  several = await startSeveral();
});
afterAll(() => several[Symbol.asyncDispose]());

const people = ["ada", "bea", "cleo", "dora"];
const letters = 60;

test("a bot and two engines carry a pass; one engine is killed, one told to stop, nothing is lost or twice", {
  // A busy machine starts a process in many seconds.
  timeout: 180_000,
}, async () => {
  await using line = await openCommandLine(await setUp(several, people, letters));
  const bot = line.start(["bot", "--no-page"]);
  const engines = [line.start(["engine"]), line.start(["engine"])];
  await bot.says("Godwit's bot serves");
  for (const engine of engines) await engine.says("A Godwit engine carries for");
  for (const typed of fullPass(several, people)) bot.type(typed);
  await bot.says(/A license is used for/);

  engines[0]!.kill("SIGKILL");
  await bot.says(/Full pass of acme: completed\./);

  engines[1]!.kill("SIGTERM");
  expect(await engines[1]!.ended).toMatchObject({
    code: 0,
    stderr: "",
    stdout: expect.stringContaining("Finishes the batches under way, and ends."),
  });
  bot.kill("SIGTERM");
  expect(await bot.ended).toMatchObject({ code: 0, stderr: "" });
  expect(await verdicts(several, people)).toEqual(
    people.map((name) => ({ name, lost: [], duplicated: [], present: letters })),
  );
});

test.each(["bot", "engine"])(
  "`%s` by itself says what it needs, and what to type instead",
  async (verb) => {
    await using line = await openCommandLine();

    const { code, stderr } = await line.godwit([verb]);

    expect(code).toBe(1);
    expect(stderr).toContain("DATABASE_URL like postgres://");
    expect(stderr).toContain("QUEUE_URL like redis://");
    expect(stderr).toContain("`serve` does everything in one process");
  },
);
