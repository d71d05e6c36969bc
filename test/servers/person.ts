import type { Dovecot } from "./dovecot.ts";
import type { Dump, Mail } from "./imap-client.ts";

/** Somebody with a mailbox at both ends, as a witness sees them. */
export interface Person {
  name: string;
  /** Into the old mailbox; the folder is made where there is none. */
  deliver(folder: string, ...mails: (Mail | string)[]): Promise<void>;
  source(): Promise<Dump>;
  target(): Promise<Dump>;
}

/** `name@old.example` and `name@new.example`. */
export function person(name: string, old: Dovecot, fresh: Dovecot): Person {
  const at = `${name}@old.example`;
  return {
    name,
    async deliver(folder, ...mails) {
      await using client = await old.login(at);
      const there = (await client.list()).some((one) => one.name === folder);
      if (!there) await client.create(folder);
      await client.appendMany(
        folder,
        mails.map((mail) => (typeof mail === "string" ? { body: text(mail) } : mail)),
      );
    },
    source: () => dump(old, at),
    target: () => dump(fresh, `${name}@new.example`),
  };
}

/** A small message. */
export const text = (words: string) => `Subject: ${words}\r\nFrom: a@b.example\r\n\r\n${words}\r\n`;

async function dump(server: Dovecot, user: string): Promise<Dump> {
  await using client = await server.login(user);
  return await client.dump();
}

/** How many messages a folder holds. */
export const count = (dumped: Dump, folder: string) => dumped.get(folder)?.messages.length ?? 0;
