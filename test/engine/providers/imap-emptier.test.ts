import { afterAll, beforeAll, expect, test } from "vitest";
import { UserError } from "../../../engine/domain/errors.ts";
import { imapEmptiers } from "../../../engine/providers/imap/emptier.ts";
import { type EmptierWorld, emptierContract, readAll } from "../../contracts/emptier.ts";
import { letter } from "../../contracts/provider.ts";
import { type Dovecot, startDovecot } from "../../servers/dovecot.ts";
import { startProxy } from "../../servers/proxy.ts";
import { addressAt, deliver } from "./addresses.ts";

let server: Dovecot;
let worlds = 0;
beforeAll(async () => {
  server = await startDovecot();
});
afterAll(() => server[Symbol.asyncDispose]());

emptierContract("IMAP on Dovecot", async (): Promise<EmptierWorld> => {
  worlds += 1;
  const own = (mailbox: string) => `${mailbox}-${worlds}`;
  return {
    emptiers: imapEmptiers(),
    address: (mailbox) => addressAt(server, own(mailbox)),
    deliver: (mailbox, folder, messages) => deliver(server, own(mailbox), folder, messages),
    async flag(mailbox, folder, uid, flags) {
      await using client = await server.login(own(mailbox));
      await client.store(folder, String(uid), `FLAGS (${flags.join(" ")})`);
    },
    async remove(mailbox, folder, uid) {
      await using client = await server.login(own(mailbox));
      await client.expunge(folder, String(uid));
    },
    standing: (mailbox, folder) => standing(own(mailbox), folder),
    async [Symbol.asyncDispose]() {},
  };
});

test("a server that cannot remove single messages is refused, and nothing is marked there", async () => {
  await deliver(server, "carla", "INBOX", [letter(1), { ...letter(2), flags: ["\\Deleted"] }]);
  await using proxy = await startProxy(server, {
    rewrite: (line) => line.replace(/ UIDPLUS/gi, ""),
  });

  const opening = imapEmptiers().emptier(addressAt(proxy, "carla", { name: "the new one" }));

  await expect(opening).rejects.toThrow(UserError);
  await expect(opening).rejects.toThrow(/the new one cannot remove single messages .*by hand/);
  expect(proxy.commands.filter((one) => /STORE|EXPUNGE|SELECT/i.test(one))).toEqual([]);
  expect(proxy.commands.at(-1)).toMatch(/^LOGOUT$/i);
  expect([...(await standing("carla", "INBOX")).keys()]).toEqual([1, 2]);
});

test("without mod-sequences those asked for are removed, and no other", async () => {
  await deliver(server, "dora", "INBOX", [
    letter(1),
    { ...letter(2), flags: ["\\Deleted"] },
    letter(3),
  ]);
  await using proxy = await startProxy(server, {
    rewrite: (line) => line.replace(/ (CONDSTORE|QRESYNC)/gi, ""),
  });
  await using emptier = await imapEmptiers().emptier(addressAt(proxy, "dora"));
  const folder = await emptier.open("INBOX");
  const read = await readAll(folder, [1]);
  expect(read[0]?.modseq).toBeNull();

  expect(await folder.remove(read)).toEqual(new Set([1]));

  expect([...(await standing("dora", "INBOX")).keys()]).toEqual([2, 3]);
  expect(proxy.commands.filter((one) => /^(EXPUNGE|CLOSE)/i.test(one))).toEqual([]);
});

async function standing(mailbox: string, folder: string): Promise<Map<number, string[]>> {
  await using client = await server.login(mailbox);
  const messages = (await client.dump()).get(folder)?.messages ?? [];
  return new Map(messages.map(({ uid, flags }) => [uid, flags]));
}
