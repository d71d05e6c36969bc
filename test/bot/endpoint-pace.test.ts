import { expect, test } from "vitest";
import { chatWorld } from "../doubles/chat-world.ts";

const minute = 60_000;

test("a mail server's pace is set, shown and taken back", async () => {
  await using world = await chatWorld({ people: ["anna"] });

  expect(await world.hear("endpoint pace OLD 10")).toContain(
    "Endpoint old: at most 10 mailboxes at once, by all engines together.",
  );
  expect(await world.hear("endpoint list")).toMatch(/^old .*, at most 10 mailboxes at once$/m);
  expect(await world.hear("endpoint list")).not.toMatch(/^new .*at once/m);
  expect(await world.hear("endpoint pace old none")).toContain("as many mailboxes at once as");
  expect(await world.hear("endpoint list")).not.toContain("at once");
});

test("what a mail server asked for is shown, and what holds while it does", async () => {
  await using world = await chatWorld({ people: ["anna"] });
  const { paces, projects } = world.desk;
  const old = (await projects.endpoint("old"))!;
  const said = (entry: number, retryAfterMs: number | null) =>
    paces.heard(old.id, { entry, retryAfterMs });
  await said(1, null);
  await said(2, null);
  expect(await world.hear("endpoint list")).toMatch(
    /^old .*; it asked to wait, so 1 mailbox at once for now, one more each minute$/m,
  );
  await said(1, 5 * minute);
  expect(await world.hear("endpoint list")).toMatch(
    /^old .*; it asked for a pause, so none is begun before 2026-11-20T12:05Z$/m,
  );
  world.clock.advance(30 * minute);
  expect(await world.hear("endpoint list")).not.toMatch(/asked|at once/);
});

test.each([
  ["endpoint pace", /Type `endpoint pace old 10` or `endpoint pace old none`/],
  ["endpoint pace a/b 10", /A name for the endpoint is missing or unusable/],
  ["endpoint pace old", /Type `endpoint pace old 10` or `endpoint pace old none`/],
  ["endpoint pace old 10 20", /nothing was changed/],
  ["endpoint pace old 0", /“0” is no number of mailboxes .* or `pause`/],
  ["endpoint pace old -1", /nothing|does not/],
  ["endpoint pace old fast", /“fast” is no number of mailboxes/],
  ["endpoint pace old 1.5", /“1.5” is no number of mailboxes/],
  ["endpoint pace old 10001", /from 1 to 10000/],
  ["endpoint pace nowhere 5", /There is no endpoint nowhere; nothing was changed/],
])("%s is refused with what to type", async (line, words) => {
  await using world = await chatWorld({ people: ["anna"] });

  const { result, lines } = await world.say(line);

  expect(result).not.toBe("accepted");
  expect(lines.map(({ text }) => text).join("\n")).toMatch(words);
  expect(await world.hear("endpoint list")).not.toContain("at once");
});
