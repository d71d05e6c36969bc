import { afterEach, describe, expect, test } from "vitest";
import { localPerson } from "../../bot/surfaces/local/chat.ts";
import { FolderError, TransientError } from "../../engine/domain/errors.ts";
import { type ChatWorld, chatWorld } from "../doubles/chat-world.ts";
import { letter } from "../doubles/twisted.ts";

let world: ChatWorld;
afterEach(() => world[Symbol.asyncDispose]());

const as = (name: string) => ({ person: localPerson(name) });

async function house(settings: string[] = [], people = ["anna", "bob"]) {
  world = await chatWorld({ people });
  for (const line of [
    "roles grant ana owner",
    "roles grant bo owner",
    "roles grant olu operator",
    "roles grant pia operator",
    ...settings.map((setting) => `project set ${setting}`),
  ]) {
    expect([line, (await world.say(line)).result]).toEqual([line, "accepted"]);
  }
  for (const who of people) {
    for (let n = 1; n <= 2; n += 1) world.system.deliver(`${who}@old.example`, "INBOX", letter(n));
  }
}

const empty =
  'remigrate anna@old.example --because config --reason "wrong folders" --empty-target --confirm acme';

describe("emptying", () => {
  test("is refused in words for people where the new system is away when it is planned", async () => {
    await house();
    await world.say("full --yes");
    await world.run();
    world.system.emptier = () =>
      Promise.reject(new TransientError("the connection was lost", "connection"));
    const { result, lines } = await world.say(empty, as("ana"));
    expect([result, lines.map(({ text }) => text).join("\n")]).toEqual([
      "refused",
      expect.not.stringContaining("fault is Godwit's"),
    ]);
  });

  test("tells where it stopped when a folder refuses, and what to type", async () => {
    await house();
    await world.say("full --yes");
    await world.run();
    await world.say(empty, as("ana"));
    const whole = world.system.emptier;
    world.system.emptier = async (at) => {
      const one = await whole(at);
      return {
        ...one,
        open: async (path) => ({
          ...(await one.open(path)),
          remove: () => Promise.reject(new FolderError("NO permission denied")),
        }),
      };
    };
    const { lines } = await world.say("approve 1", as("bo"));
    const text = lines.map((line) => line.text).join("\n");
    expect(text).toContain("was begun, but");
    expect(text).not.toContain("fault is Godwit's");
  });
});

describe("remigration", () => {
  test("refuses the old mailbox itself as the new one, as `add` does", async () => {
    await house();
    for (const line of [
      "endpoint list",
      "project new loop --from old --to old",
      'licenses add 5 --note "order" --project loop',
      "add anna@old.example carl@old.example --project loop",
      "full --yes --project loop",
    ]) {
      expect([line, (await world.say(line)).result]).toEqual([line, "accepted"]);
    }
    await world.run();
    const text = await world.hear(
      "remigrate anna@old.example --because target --reason x --target anna@old.example --accept-duplicates --confirm loop --project loop",
    );
    await world.say("full --yes --project loop");
    await world.run();
    // The source is never changed.
    expect(world.system.letters("anna@old.example", "INBOX").length).toBe(2);
    expect(text).toContain("same mailbox");
  });

  test("echoes neither direction characters nor words of any length", async () => {
    await house();
    const text = await world.hear(
      `remigrate "gh\u202eost" --because config --reason x --confirm acme`,
    );
    expect(text).not.toContain("\u202e");
    const long = await world.hear(
      `remigrate ${"x".repeat(5000)} --because config --reason x --confirm acme`,
    );
    expect(long.length).toBeLessThan(1000);
  });
});

describe("a second person", () => {
  test("can approve with `--yes` what was shown with `--yes`", async () => {
    await house(["passesPerLicense 1"], ["anna", "bob", "carl"]);
    await world.say("full anna@old.example --yes");
    await world.run();
    await world.say("project set secondPerson.passesOver 1");
    const asked = await world.hear("full --yes", as("olu"));
    expect(asked).toContain("approve 1");
    const { passes, lines } = await world.say("approve 1", as("pia"));
    expect([passes.length, lines.map(({ text }) => text).join("\n")]).toEqual([
      1,
      expect.not.stringContaining("is not what it would do now"),
    ]);
  });

  test("is not switched off by a change of something else at the same moment", async () => {
    await house();
    await Promise.all([
      world.say("project set overLimit block", as("olu")),
      world.say("project set secondPerson.grants on", as("ana")),
      world.say("project set passesPerLicense 7", as("pia")),
    ]);
    const { policy } = await world.desk.projects.byId(1);
    expect([policy.secondPerson.grants, policy.overLimit, policy.passesPerLicense]).toEqual([
      true,
      "block",
      7,
    ]);
  });
});

describe("a race", () => {
  test("between a pass and a remigration has one winner, and no run of a closed mailbox", async () => {
    await house();
    await world.say("full --yes");
    await world.run();
    for (const who of ["anna", "bob"]) {
      for (const { uid } of [...world.system.letters(`${who}@new.example`, "INBOX")])
        world.system.remove(`${who}@new.example`, "INBOX", uid);
    }
    const [one, two] = await Promise.all([
      world.say("remigrate * --because target --reason x --confirm acme", as("ana")),
      world.say("full --yes", as("bo")),
    ]);
    const closed = await world.desk.projects.closedEntries(1);
    const running = (await world.desk.passes.recent(1, 5))[0];
    const busyClosed = running?.runs.filter(
      (run) => run.state === "queued" && closed.some(({ id }) => id === run.entry),
    );
    expect([one.result, two.result].toSorted()).toEqual(["accepted", "refused"]);
    expect(busyClosed).toEqual([]);
  });
});
