import { chown, copyFile, readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { Provider } from "../../engine/domain/provider.ts";
import { adding, gone, one, refusedWhole } from "../doubles/twisted.ts";
import { compare } from "../servers/checker.ts";
import type { Dovecot } from "../servers/dovecot.ts";
import { twoDovecots } from "../servers/dovecots.ts";
import { startWorld } from "../servers/world.ts";
import { dump } from "./kills.ts";

// A Dovecot killed between the file of a message and its index keeps the file, shows nothing, refuses whatever comes
// next because the file is in its way (`NO [SERVERBUG]`), and shows the file's message from then on.

const letter = (n: number) => Buffer.from(`Subject: ${n}\r\n\r\nletter ${n}\r\n`);

let old: Dovecot;
let fresh: Dovecot;

twoDovecots((...both) => {
  [old, fresh] = both;
});

test.each([
  ["in a batch", 20, 0],
  ["in a batch, and something that failed before goes again beside it", 20, 1],
  ["alone", 1, 0],
])(
  "what a killed target stored out of sight stands there once: sent %s",
  async (_, items, failed) => {
    const { full, verdict, log } = await carried({ user: `${items}-${failed}`, items, failed });

    expect(full).toMatchObject({ state: "completed", counters: { migrated: 12, failed: 0 } });
    expect(verdict).toMatchObject({ lost: [], duplicated: [], foreign: [], present: 12 });
    expect(log).toMatch(
      new RegExp(`/${items}-${failed}@new.*/u.5 already exists, rebuilding index`),
    );
  },
);

test("an engine that forgets what is in doubt leaves a second copy of it: the control", async () => {
  const { verdict } = await carried({ user: "naive", items: 1, failed: 0, naive: true });

  expect(verdict.duplicated).toHaveLength(1);
});

interface Series {
  user: string;
  /** Messages in a batch. */
  items: number;
  /** So many fail before the target is killed. */
  failed: number;
  naive?: boolean;
}

async function carried({ user, items, failed, naive = false }: Series) {
  await deliver(user);
  const settings = { batch: { items, bytes: 1_000_000 } };
  await using world = await startWorld(old, fresh, { settings });
  await world.add(user);
  const { works } = world.godwit;
  if (naive) works.ledger = { ...works.ledger, intents: () => Promise.resolve([]) };
  works.providers.imap = killedOver(works.providers.imap, user, 5 + failed, failed);
  const full = await world.pass("full");
  const [before, after] = [
    await dump(old, `${user}@old.example`),
    await dump(fresh, `${user}@new.example`),
  ];
  return { full, verdict: compare(before, after), log: await fresh.log() };
}

async function deliver(user: string): Promise<void> {
  await using client = await old.login(`${user}@old.example`);
  const mails = Array.from({ length: 12 }, (_, n) => ({
    body: letter(n + 1),
    flags: n % 2 === 0 ? ["$Forwarded"] : [],
    date: Date.UTC(2026, 3, 1, 0, n),
  }));
  await client.appendMany("INBOX", mails);
}

/** The target is killed while it stores this message, so many having been refused before. */
function killedOver(imap: Provider, user: string, uid: number, refused: number): Provider {
  let isOver = false;
  let left = refused;
  const target = adding(async function* (into, items) {
    for await (const item of items) {
      if (left > 0) {
        left -= 1;
        yield await refusedWhole(item);
      } else if (item.uid === uid && !isOver) {
        isOver = true;
        await Array.fromAsync(item.body);
        await leaveBehind(user, letter(uid));
        await fresh.killChildren();
        throw gone();
      } else yield* into.add(one(item));
    }
  });
  return {
    source: (address) => imap.source(address),
    target: async (address) => target(await imap.target(address)),
  };
}

/** Puts the file of a message where the mailbox's next one is to come. */
async function leaveBehind(user: string, body: Buffer): Promise<void> {
  const other = `other-${user}`;
  await using client = await fresh.login(`${other}@new.example`);
  await client.append("INBOX", { body, flags: [], date: Date.UTC(2026, 3, 1) });
  const folder = (name: string) =>
    join(fresh.directory, "mail", `${name}@new.example`, "sdbox/mailboxes/INBOX/dbox-Mails");
  const files = (await readdir(folder(user))).filter((file) => file.startsWith("u."));
  const next = Math.max(0, ...files.map((file) => Number(file.slice(2)))) + 1;
  const [from, to] = [join(folder(other), "u.1"), join(folder(user), `u.${next}`)];
  await copyFile(from, to);
  const { uid, gid } = await stat(from);
  await chown(to, uid, gid);
}
