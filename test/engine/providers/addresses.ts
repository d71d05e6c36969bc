import type { Address, Endpoint } from "../../../engine/domain/provider.ts";
import { Secret } from "../../../engine/domain/secret.ts";
import type { Dovecot } from "../../servers/dovecot.ts";
import type { Mail } from "../../servers/imap-client.ts";

/** A mailbox of a server on the loopback address, by the master user and without TLS unless told otherwise. */
export function addressAt(
  at: Pick<Dovecot, "host" | "port">,
  mailbox: string,
  endpoint: Partial<Endpoint> = {},
): Address {
  return {
    mailbox,
    user: null,
    password: null,
    endpoint: {
      id: 1,
      name: "old",
      provider: "imap",
      host: at.host,
      port: at.port,
      security: "none",
      login: "master",
      masterUser: "master",
      masterFormat: "star",
      masterPassword: new Secret("masterpass"),
      ca: null,
      fingerprint: null,
      inward: true,
      ...endpoint,
    },
  };
}

/** Puts messages into a folder of a mailbox, made where there is none. */
export async function deliver(
  server: Dovecot,
  mailbox: string,
  folder: string,
  mails: Mail[],
): Promise<void> {
  await using client = await server.login(mailbox);
  if (folder !== "INBOX") await client.command(`CREATE "${folder}"`);
  await client.appendMany(folder, mails);
}
