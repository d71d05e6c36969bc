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

describe("plain English", () => {
  test.each([
    ["tomorrow at 6pm", "2026-11-21T17:00"],
    ["Friday 6 PM", "2026-11-20T17:00"],
    ["friday at 9am", "2026-11-27T08:00"],
    ["at 6pm on monday", "2026-11-23T17:00"],
    ["6pm", "2026-11-20T17:00"],
    ["9am", "2026-11-21T08:00"],
    ["noon tomorrow", "2026-11-21T11:00"],
    ["tonight 11pm", "2026-11-20T22:00"],
    ["25 November 22:00", "2026-11-25T21:00"],
    ["nov 25 at 10:30 pm", "2026-11-25T21:30"],
    ["5 jan 9am", "2027-01-05T08:00"],
    ["2026-11-25 10pm", "2026-11-25T21:00"],
    ["25.11.2026 22:00", "2026-11-25T21:00"],
    ["fri, 27 Nov 2026, 22:00", "2026-11-27T21:00"],
    ["in 3 days at 18:00", "2026-11-23T17:00"],
    ["in half an hour", "2026-11-20T13:00"],
  ])("%s", (typed, at) => {
    expect(utc(readWhen(typed, zone, now))).toBe(at);
  });

  test("means the clocks of that day, and a length means its length", () => {
    const before = Date.UTC(2026, 9, 24, 16);
    // The control: with the offset of the day it was typed it would be 21:00.
    expect(utc(readWhen("november 25 at 11pm", zone, before))).toBe("2026-11-25T22:00");
    expect(utc(readWhen("in twelve hours", zone, before))).toBe("2026-10-25T04:00");
    expect(() => readWhen("tomorrow at 2:30am", zone, before)).toThrow(/came twice/);
    expect(() => readWhen("28 mar 2027 2:30am", zone, now)).toThrow(/clocks went forward/);
  });

  test.each([
    ["a length that may be a limit", "90d"],
    ["a length without `in`", "2 hours"],
    ["a date in either order", "11/12/2026 22:00"],
    ["a date in either order, with dots", "11.12.2026 22:00"],
    ["a date in either order, with dashes", "11-12-2026 22:00"],
    ["this week or the next", "next friday at 6pm"],
    ["either end of a day", "tomorrow midnight"],
    ["morning or evening", "sunday at 7"],
    ["no time of day", "tomorrow"],
    ["a guess at a time of day", "tomorrow evening"],
    ["no time of day, in weeks", "in 2 weeks"],
    ["letters of a zone", "tomorrow 6pm EST"],
    ["from and to", "friday 6pm to 8pm"],
    ["words that are left over", "tomorrow 6pm sharp"],
    ["words that are left over before", "every day 6pm"],
    ["what recurs", "weekday 18:00"],
    ["a weekday that is another", "fri, 28 Nov 2026, 22:00"],
    ["a day that has passed and would be next year's", "19 november 9am"],
    ["a day there is not", "31 feb 6pm"],
  ])("is refused where it is %s", (_why, typed) => {
    expect(() => readWhen(typed, zone, now)).toThrow(/is not a time.*"in 2h"/);
  });

  test("of the past has passed", () => {
    expect(() => readWhen("today at 9am", zone, now)).toThrow(/has passed/);
    expect(() => readWhen("5 minutes ago", zone, now)).toThrow(/has passed/);
  });
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
