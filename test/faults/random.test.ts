import { beforeAll, describe, expect, test } from "vitest";
import { type RandomPasses, randomPasses } from "./random.ts";
import { faults } from "./random-faults.ts";
import type { Tally } from "./suite.ts";
import { sumOf } from "./tally.ts";

const seeds = Array.from({ length: 24 }, (_, n) => n + 20);
const clean = { lost: 0, duplicated: 0, foreign: 0, wrong: [] };

describe("random passes with random faults (F12)", () => {
  const played = new Map<number, RandomPasses>();
  beforeAll(async () => {
    for (const seed of seeds) played.set(seed, await randomPasses(seed));
  });

  test.each(seeds)("end with everything at the target once: seed %i", (seed) => {
    const { tally, story } = played.get(seed)!;

    expect(tally, story.join("\n")).toMatchObject(clean);
  });

  test("meet every fault there is", () => {
    const all = [...played.values()].flatMap(({ struck }) => [...struck.keys()]);

    expect([...new Set(all)].sort()).toEqual(Object.keys(faults).sort());
  });

  test("are the same for the same seed", async () => {
    const again = await randomPasses(seeds[0]!);

    expect(again.story).toEqual(played.get(seeds[0]!)?.story);
  });

  test("leave copies where the engine forgets what is in doubt", async () => {
    const naive: Tally[] = [];
    for (const seed of seeds.slice(0, 4)) {
      naive.push((await randomPasses(seed, { naive: true })).tally);
    }

    expect(sumOf(naive).duplicated).toBeGreaterThan(4);
  });
});
