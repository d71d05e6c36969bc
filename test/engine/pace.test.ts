import { describe, expect, test } from "vitest";
import { heard, type Pace, places, unhurried } from "../../engine/domain/pace.ts";

const minute = 60_000;
const now = Date.UTC(2026, 10, 20, 12);
/** Words to these mailboxes at this moment, while so many are carried. */
function told(pace: Pace, entries: number[], busy: number, at = now, change = {}): Pace {
  const { retryAfterMs, shared } = { retryAfterMs: null, shared: false, ...change };
  return entries.reduce(
    (so, entry) => heard(so, { entry, retryAfterMs }, { busy, shared }, at),
    pace,
  );
}

describe("the pace of a mail server", () => {
  test("is nobody's limit before anybody sets one or it says anything", () => {
    expect(places(unhurried, now)).toBeNull();
    expect(places({ ...unhurried, atOnce: 7 }, now)).toBe(7);
  });

  test("halves with the words to two mailboxes, not to one, and not to two far apart", () => {
    expect(places(told(unhurried, [1, 1, 1], 16), now)).toBeNull();
    const first = told(unhurried, [1], 16);
    expect(places(told(first, [2], 16, now + 5 * minute), now + 5 * minute)).toBeNull();
    expect(places(told(first, [2], 16, now + 5 * minute - 1), now + 5 * minute - 1)).toBe(8);
  });

  test("halves once a burst, and again where it goes on", () => {
    const burst = told(unhurried, [1, 2, 3, 4, 5], 16);
    expect(places(burst, now)).toBe(8);
    const later = now + 30_000;
    expect(places(told(burst, [6], 8, later - 1), later - 1)).toBe(8);
    expect(places(told(burst, [6], 8, later), later)).toBe(4);
  });

  test("never falls below one, and takes one more each minute until it is as it was", () => {
    const slow = told(unhurried, [1, 2], 3);
    expect([0, 1, 2, 3].map((n) => places(slow, now + n * minute))).toEqual([1, 2, null, null]);
    expect(places(told(unhurried, [1, 2], 1), now)).toBe(1);
  });

  test("never rises above what people set", () => {
    const set = { ...unhurried, atOnce: 4 };
    expect(places(told(set, [1, 2], 4), now)).toBe(2);
    expect(places(told(set, [1, 2], 4), now + 10 * minute)).toBe(4);
    expect(places(told(set, [1, 2], 20), now)).toBe(4);
  });

  test("holds everybody for a pause the server names for all, and for an hour at most", () => {
    const named = { retryAfterMs: 5 * minute, shared: true };
    const held = told(unhurried, [1, 2], 8, now, named);
    expect(places(held, now + 5 * minute - 1)).toBe(0);
    expect(places(held, now + 5 * minute)).not.toBe(0);
    const long = told(unhurried, [1, 2], 8, now, { retryAfterMs: 1e12, shared: true });
    expect(places(long, now + 60 * minute)).not.toBe(0);
    expect(places(told(unhurried, [1, 2], 8, now, { retryAfterMs: minute }), now)).toBe(4);
  });

  test("believes no clock that was wrong: before it slowed it is as slow, and no hold is longer than an hour", () => {
    const slow = told(unhurried, [1, 2], 8);
    expect(places(slow, now - 10 * minute)).toBe(4);
    expect(places({ ...unhurried, heldUntil: now + 61 * minute }, now)).toBeNull();
    expect(places({ ...unhurried, heldUntil: now + 60 * minute }, now)).toBe(0);
  });

  test("sends nobody for half a minute to a server that refuses even one at a time", () => {
    const one = told(unhurried, [1, 2], 2);
    expect(places(one, now)).toBe(1);
    const refused = told(one, [3], 1, now + 1000);
    expect(places(refused, now + 30_999)).toBe(0);
    expect(places(refused, now + 31_000)).toBe(1);
  });
});
