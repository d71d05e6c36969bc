import type { Provider } from "../../domain/provider.ts";
import { connect, type ImapOptions } from "./connect.ts";
import { imapSource } from "./source.ts";
import { imapTarget } from "./target.ts";

/** Mailboxes reached by IMAP (RFC 3501 and 9051). One connection each. */
export function imapProvider(options: ImapOptions = {}): Provider {
  return {
    async source(address) {
      return imapSource(await connect(address, options));
    },
    async target(address) {
      return imapTarget(await connect(address, options), options.now ?? Date.now);
    },
  };
}
