import { afterAll, beforeAll, expect, test } from "vitest";
import { imapProvider } from "../../../engine/providers/imap/provider.ts";
import { letter, type ProviderWorld, providerContract } from "../../contracts/provider.ts";
import { type Dovecot, startDovecot } from "../../servers/dovecot.ts";
import type { RawClient } from "../../servers/imap-client.ts";
import { startProxy } from "../../servers/proxy.ts";
import { addressAt, deliver } from "./addresses.ts";

let server: Dovecot;
let worlds = 0;
beforeAll(async () => {
  server = await startDovecot();
});
afterAll(() => server[Symbol.asyncDispose]());

providerContract("IMAP on Dovecot", async (): Promise<ProviderWorld> => {
  worlds += 1;
  const own = (mailbox: string) => `${mailbox}-${worlds}`;
  return {
    provider: imapProvider(),
    address: (mailbox) => addressAt(server, own(mailbox)),
    deliver: (mailbox, folder, messages) => deliver(server, own(mailbox), folder, messages),
    async remove(mailbox, folder, uid) {
      await using client = await server.login(own(mailbox));
      await client.expunge(folder, String(uid));
    },
    async move(mailbox, folder, uid, to) {
      await using client = await server.login(own(mailbox));
      await done(client, `SELECT "${folder}"`, `UID MOVE ${uid} "${to}"`);
    },
    async [Symbol.asyncDispose]() {},
  };
});

test("on Dovecot a copy has the name of what it was copied from, and a new delivery has not", async () => {
  const mailbox = "copied";
  await deliver(server, mailbox, "INBOX", [letter(1)]);
  await deliver(server, mailbox, "Work", [letter(1)]);
  await using client = await server.login(mailbox);
  await done(client, 'SELECT "INBOX"', 'UID COPY 1 "Work"', 'UID COPY 1 "INBOX"');
  await using source = await imapProvider().source(addressAt(server, mailbox));
  const names = async (folder: string) => {
    const found = (await (await source.open(folder)).identities([1, 2]))!;
    return [1, 2].map((uid) => found.get(uid)?.toString("base64"));
  };

  const [original, beside] = await names("INBOX");
  const [delivered, copy] = await names("Work");

  expect(original).toMatch(/^[A-Za-z0-9+/]{22}==$/);
  expect([beside, copy]).toEqual([original, original]);
  expect(delivered).not.toBe(original);
});

test("a source that is not known to name its messages has no names", async () => {
  await deliver(server, "nameless", "INBOX", [letter(1)]);
  await using proxy = await startProxy(server, {
    rewrite: (line) => (/^\* ID /i.test(line) ? "* ID NIL" : line.replace(/ OBJECTID/gi, "")),
  });
  await using source = await imapProvider().source(addressAt(proxy, "nameless"));
  const folder = await source.open("INBOX");

  expect(await folder.identities([1])).toBeNull();
  const [one] = await Array.fromAsync(folder.read([1]));
  expect(one?.identity).toBeNull();
});

async function done(client: RawClient, ...lines: string[]): Promise<void> {
  for (const line of lines) expect(await client.command(line)).toMatchObject({ status: "OK" });
}
