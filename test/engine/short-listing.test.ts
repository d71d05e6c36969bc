import { expect, test } from "vitest";
import { annas, letter, losing, opening, there, twisted } from "../doubles/twisted.ts";

/** A source whose next whole listing leaves out its first letter. */
function shortOnce() {
  let short = true;
  return opening((open) => ({
    ...open,
    async *list(uids) {
      for await (const page of open.list(uids)) {
        const cut = short && uids === undefined;
        if (cut) short = false;
        yield cut ? page.slice(1) : page;
      }
    },
  }));
}

test("a letter that is left out of the listing of a folder numbered anew is not carried again", async () => {
  await using world = await annas(3);
  await world.pass("full");
  world.system.renumber("anna@old", "INBOX");

  const works = twisted(world, { source: shortOnce() });
  const short = await world.pass("delta", { works });
  const whole = await world.pass("delta", { works });

  expect(short.runs[0]?.reason).toContain("counts 1 more than it lists");
  expect(whole).toMatchObject({ state: "completed", counters: { duplicates: 3, migrated: 0 } });
  expect(there(world)).toBe(3);
});

test("a batch in doubt is not judged by a listing that leaves a letter out", async () => {
  await using world = await annas(1);
  const losses = losing(() => world.system.deliver("anna@new", "INBOX", letter(1)));
  let lost = false;
  const once = twisted(world, { target: (target) => (lost ? target : losses(target)) });
  once.settings = { ...once.settings, tries: 1 };
  await world.pass("full", { works: once });
  lost = true;
  world.system.renumber("anna@old", "INBOX");

  const works = twisted(world, { source: shortOnce() });
  await world.pass("delta", { works });
  const whole = await world.pass("delta", { works });

  expect(whole.state).toBe("completed");
  expect(there(world)).toBe(1);
});
