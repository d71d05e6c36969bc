import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { wallClock } from "../../engine/domain/clock.ts";

const day = 24 * 60 * 60_000;

beforeEach(() => {
  vi.useFakeTimers();
});

afterEach(() => {
  vi.useRealTimers();
});

/** A sleep, and whether it is over. */
function asleep(ms: number, signal?: AbortSignal): { over: boolean } {
  const sleep = { over: false };
  void wallClock.sleep(ms, signal).then(() => {
    sleep.over = true;
  });
  return sleep;
}

test.each([{ days: 20 }, { days: 30 }, { days: 400 }])(
  "a sleep of $days days ends after them, not sooner",
  async ({ days }) => {
    const sleep = asleep(days * day);

    await vi.advanceTimersByTimeAsync(days * day - 1);
    expect(sleep.over).toBe(false);

    await vi.advanceTimersByTimeAsync(1);
    expect(sleep.over).toBe(true);
  },
);

test("a sleep of many days ends at once when it is aborted, and leaves nothing behind", async () => {
  const over = new AbortController();
  const sleep = asleep(400 * day, over.signal);
  await vi.advanceTimersByTimeAsync(30 * day);

  over.abort();

  await vi.advanceTimersByTimeAsync(0);
  expect(sleep.over).toBe(true);
  expect(vi.getTimerCount()).toBe(0);
});
