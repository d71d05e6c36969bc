declare module "hoodiecrow-imap" {
  import type { EventEmitter } from "node:events";
  import type { Server } from "node:net";

  export interface StoredMessage {
    uid: number;
    flags: string[];
    internaldate: string;
    /** One character a byte. */
    raw: string;
  }

  export interface StoredMailbox {
    path: string;
    uidvalidity: number;
    uidnext: number;
    flags: string[];
    messages: StoredMessage[];
    "special-use"?: string;
    HIGHESTMODSEQ?: number;
  }

  export interface Connection {
    server: Hoodiecrow;
    state: string;
    _notificationCallback: (notification: object) => void;
  }

  export type Handler = (
    connection: Connection,
    parsed: { attributes?: { value: string }[] },
    data: string,
    done: () => void,
  ) => void;

  export interface Hoodiecrow extends EventEmitter {
    readonly server: Server;
    readonly folderCache: Record<string, StoredMailbox>;
    getCommandHandler(command: string): Handler;
    setCommandHandler(command: string, handler: Handler): void;
    getMailbox(path: string): StoredMailbox | undefined;
    createMailbox(path: string, mailbox?: Partial<StoredMailbox>): void;
    appendMessage(path: string, flags: string[], internaldate: string, raw: string): void;
    processMailbox(path: string, mailbox: StoredMailbox, namespace: string): void;
  }

  export default function hoodiecrow(options: {
    plugins?: (string | ((server: Hoodiecrow) => void))[];
    storage?: Record<string, object>;
    users?: Record<string, { password: string }>;
  }): Hoodiecrow;
}
