import type { Instant } from "../../domain/clock.ts";
import type { Emptiers } from "../../domain/emptying.ts";
import { UserError } from "../../domain/errors.ts";
import type { FolderRole } from "../../domain/item.ts";
import type { Address, Provider } from "../../domain/provider.ts";
import { type Box, type Boxes, boxAt, emptyBox, type Letter, put } from "./box.ts";
import { memoryEmptier } from "./emptier.ts";
import { memorySource } from "./source.ts";
import { memoryTarget } from "./target.ts";

/** A mail system in this process: the reference for what a provider promises, and quick to test against. */
export interface MemorySystem extends Provider, Emptiers {
  /** The folder, made where there is none. */
  folder(mailbox: string, path: string, role?: FolderRole): Box;
  deliver(
    mailbox: string,
    path: string,
    bytes: Buffer,
    facts?: { createdAt?: Instant; flags?: string[] },
  ): Letter;
  letters(mailbox: string, path: string): readonly Letter[];
  paths(mailbox: string): string[];
  remove(mailbox: string, path: string, uid: number): void;
  flag(mailbox: string, path: string, uid: number, flags: string[]): void;
  /** Moves a letter to another folder, where it gets another UID. */
  move(mailbox: string, path: string, uid: number, to: string): void;
  /** Gives the folder another UIDVALIDITY and its letters other UIDs. */
  renumber(mailbox: string, path: string): void;
}

/** An empty system. `maxItemSize` in bytes, as a server announces it. */
export function memorySystem(options: { maxItemSize?: number } = {}): MemorySystem {
  const mailboxes = new Map<string, Boxes>();
  let validity = 1000;

  const boxes = (mailbox: string) => {
    const key = mailbox.toLowerCase();
    let all = mailboxes.get(key);
    if (all === undefined) {
      all = new Map();
      mailboxes.set(key, all);
      all.set("INBOX", emptyBox(["INBOX"], "inbox", ++validity));
    }
    return all;
  };
  const box = (mailbox: string, path: string) => boxAt(boxes(mailbox), path);
  const make = (mailbox: string, path: string, role: FolderRole | null) => {
    const all = boxes(mailbox);
    const made = all.get(path) ?? emptyBox(path.split("/"), role, ++validity);
    all.set(path, made);
    return made;
  };

  return {
    folder: (mailbox, path, role) => make(mailbox, path, role ?? null),
    deliver: (mailbox, path, bytes, facts = {}) =>
      put(make(mailbox, path, null), bytes, facts.createdAt ?? 0, facts.flags ?? []),
    letters: (mailbox, path) => boxes(mailbox).get(path)?.letters ?? [],
    paths: (mailbox) => [...boxes(mailbox).keys()],
    remove(mailbox, path, uid) {
      const at = box(mailbox, path);
      at.letters = at.letters.filter((letter) => letter.uid !== uid);
      at.modseq += 1;
    },
    flag(mailbox, path, uid, flags) {
      const at = box(mailbox, path);
      const letter = at.letters.find((one) => one.uid === uid);
      if (letter !== undefined) Object.assign(letter, { flags, modseq: ++at.modseq });
    },
    move(mailbox, path, uid, to) {
      const at = box(mailbox, path);
      const letter = at.letters.find((one) => one.uid === uid);
      if (letter === undefined) return;
      at.letters = at.letters.filter((one) => one !== letter);
      at.modseq += 1;
      const into = make(mailbox, to, null);
      into.letters.push({ ...letter, uid: into.uidNext++, modseq: ++into.modseq });
    },
    renumber(mailbox, path) {
      const at = box(mailbox, path);
      at.uidValidity = ++validity;
      at.letters = at.letters.map((letter, index) => ({ ...letter, uid: index + 1 }));
      at.uidNext = at.letters.length + 1;
    },
    emptier: (address) => Promise.resolve(memoryEmptier(boxes(known(address).mailbox))),
    source: (address) => Promise.resolve(memorySource(boxes(known(address).mailbox))),
    target: (address) =>
      Promise.resolve(
        memoryTarget(boxes(known(address).mailbox), options.maxItemSize ?? null, (path, role) =>
          make(address.mailbox, path, role),
        ),
      ),
  };
}

function known(address: Address): Address {
  const { endpoint } = address;
  const password = endpoint.login === "master" ? endpoint.masterPassword : address.password;
  if (password?.reveal() === "wrong") {
    throw new UserError(`${endpoint.name} refused the login for ${address.mailbox}.`);
  }
  return address;
}
