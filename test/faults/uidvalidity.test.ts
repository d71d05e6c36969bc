import { describe, expect, test } from "vitest";
import { compare } from "../servers/checker.ts";
import type { Dovecot } from "../servers/dovecot.ts";
import { twoDovecots } from "../servers/dovecots.ts";
import { startWorld } from "../servers/world.ts";
import { dump, startEngineProcess } from "./kills.ts";

let old: Dovecot;
let fresh: Dovecot;

twoDovecots((...both) => {
  [old, fresh] = both;
});

const clean = { lost: [], duplicated: [], foreign: [] };
const text = (words: string) => `Subject: ${words}\r\nFrom: a@b.example\r\n\r\n${words}\r\n`;
/** Twins among them: what a careless match would carry again, or forget. */
const mails = ["one", "twin", "twin", "two", "three"].map((words) => ({ body: text(words) }));

/** Another UIDVALIDITY, as after a restore of the server. */
async function renumber(server: Dovecot, user: string): Promise<void> {
  const validity = String(1_900_000_000 + Math.floor(Math.random() * 1e6));
  await server.doveadm("mailbox", "update", "-u", user, "--uid-validity", validity, "INBOX");
}

const sides = [
  ["source", true, false],
  ["target", false, true],
  ["source and target", true, true],
] as const;

describe("a changed UIDVALIDITY (F8)", () => {
  test.each(sides)("of %s between passes: nothing is lost or twice", async (_, source, target) => {
    const name = `between-${source}-${target}`;
    const [from, to] = [`${name}@old.example`, `${name}@new.example`];
    await deliver(from, mails);
    await using world = await startWorld(old, fresh);
    await world.add(name);
    await world.pass("full");
    if (source) await renumber(old, from);
    if (target) await renumber(fresh, to);
    await deliver(from, [{ body: text("twin") }, { body: text("new") }]);

    const delta = await world.pass("delta");
    const again = await world.pass("delta");

    expect(delta.counters).toMatchObject({ listed: 7, duplicates: 5, migrated: 2, gone: 0 });
    expect(again.counters).toMatchObject({ listed: 7, duplicates: 7, migrated: 0 });
    expect(compare(await dump(old, from), await dump(fresh, to))).toMatchObject({
      ...clean,
      present: 7,
    });
  });

  test.each(sides)(
    "of %s while a batch is in doubt: nothing is lost or twice",
    async (_, source, target) => {
      const name = `doubt-${source}-${target}`;
      const [from, to] = [`${name}@old.example`, `${name}@new.example`];
      await deliver(from, mails);
      await using world = await startWorld(old, fresh);
      await world.add(name);
      await world.pass("full");
      await deliver(from, [{ body: text("twin") }, { body: text("new") }]);
      const pass = await world.submit("delta");
      expect(await startEngineProcess(world, "before settle:1").ended).toBe("SIGKILL");
      if (source) await renumber(old, from);
      if (target) await renumber(fresh, to);

      const delta = await world.finish(pass);

      expect(delta.counters).toMatchObject({ listed: 7, duplicates: 5, migrated: 2 });
      expect(compare(await dump(old, from), await dump(fresh, to))).toMatchObject({
        ...clean,
        present: 7,
      });
    },
  );

  test("of a folder deleted and made again: what comes back is known, what is new is carried", async () => {
    const [from, to] = ["again@old.example", "again@new.example"];
    await deliver(from, mails, "Work");
    await using world = await startWorld(old, fresh);
    await world.add("again");
    await world.pass("full");
    {
      await using client = await old.login(from);
      await client.command("DELETE Work");
    }
    await deliver(from, [...mails.slice(1), { body: text("new") }], "Work");

    const delta = await world.pass("delta");

    expect(delta.counters).toMatchObject({ listed: 5, duplicates: 4, migrated: 1, gone: 1 });
    const target = await dump(fresh, to);
    expect(target.get("Work")?.messages).toHaveLength(6);
  });

  async function deliver(user: string, some: { body: string }[], folder = "INBOX"): Promise<void> {
    await using client = await old.login(user);
    if (folder !== "INBOX") await client.create(folder);
    await client.appendMany(folder, some);
  }
});
