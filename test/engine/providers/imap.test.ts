import { afterAll, beforeAll } from "vitest";
import { imapProvider } from "../../../engine/providers/imap/provider.ts";
import { type ProviderWorld, providerContract } from "../../contracts/provider.ts";
import { type Dovecot, startDovecot } from "../../servers/dovecot.ts";
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
    async [Symbol.asyncDispose]() {},
  };
});
