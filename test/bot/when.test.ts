import { describe, expect, test } from "vitest";
import { readWhen } from "../../bot/when.ts";

const zone = "Europe/Berlin";
/** A Friday, 13:30:20 in Berlin. */
const now = Date.UTC(2026, 10, 20, 12, 30, 20);
const utc = (at: number) => new Date(at).toISOString().slice(0, 16);

test.each([
  ["2026-11-25 22:00", "2026-11-25T21:00"],
  ["2026-11-25T22:00Z", "2026-11-25T22:00"],
  ["in 2h", "2026-11-20T14:30"],
  ["in 90min", "2026-11-20T14:00"],
  ["in 3 days", "2026-11-23T12:30"],
  ["today 22:00", "2026-11-20T21:00"],
  ["tomorrow 18:00", "2026-11-21T17:00"],
  ["18:00", "2026-11-20T17:00"],
  ["09:00", "2026-11-21T08:00"],
  ["mon 07:30", "2026-11-23T06:30"],
  ["Friday 18:00", "2026-11-20T17:00"],
  ["fri 09:00", "2026-11-27T08:00"],
])("%s", (typed, at) => {
  expect(utc(readWhen(typed, zone, now))).toBe(at);
});

test("a day is a day on the calendar, also when the clocks change in between", () => {
  const before = Date.UTC(2026, 9, 24, 16);
  expect(utc(readWhen("tomorrow 18:00", zone, before))).toBe("2026-10-25T17:00");
  expect(utc(readWhen("in 1d", zone, before))).toBe("2026-10-25T16:00");
});

describe("is refused with what to type", () => {
  test.each([
    ["soon", /“soon” is not a time.*"in 2h"/],
    ["2026-11-25", /is not a time/],
    ["in 2 fortnights", /is not a time/],
    ["2026-11-19 22:00", /has passed/],
    ["today 09:00", /has passed/],
    ["in 0h", /has passed/],
    ["2027-03-28 02:30", /no 02:30 on 2027-03-28.*clocks went forward.*03:30/],
    ["2026-10-25 25:00", /calendar/],
    ["tomorrow 24:30", /calendar/],
  ])("%s", (typed, says) => {
    expect(() => readWhen(typed, zone, now)).toThrow(says);
  });

  test("an hour that comes twice", () => {
    const before = Date.UTC(2026, 9, 24, 16);
    expect(() => readWhen("tomorrow 02:30", zone, before)).toThrow(
      /came twice.*2026-10-25T02:30\+02:00 or 2026-10-25T02:30\+01:00/,
    );
  });
});
