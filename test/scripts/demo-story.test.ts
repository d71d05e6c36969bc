import { ImapFlow } from "imapflow";
import { beforeEach, describe, expect, it } from "vitest";
import type { ChatEnd, PassLine } from "../../scripts/demo-chat.ts";
import { type Practice, startPractice } from "../../scripts/demo-practice.ts";
import { tellStory } from "../../scripts/demo-story.ts";
import type { HeldMail } from "../../scripts/practice-server.ts";

const day = 24 * 60 * 60 * 1000;

/** Somebody who carries the mail by hand, rightly unless told otherwise. */
interface Carrier {
  /** What becomes of a mail: carried once, or as often as this says. */
  copies: (mail: HeldMail) => number;
  flags: (mail: HeldMail) => string[];
  afterPass: (practice: Practice) => void;
  licensesConsumed: number;
  state: string;
}

const right: Carrier = {
  copies: () => 1,
  flags: (mail) => mail.flags,
  afterPass: () => {},
  licensesConsumed: 3,
  state: "completed",
};

let told: string[];
beforeEach(() => {
  told = [];
});

async function story(carrier: Carrier): Promise<boolean> {
  await using practice = await startPractice(new Date());
  const carried = new Set<string>();
  const say = async (command: string): Promise<ChatEnd> => {
    const [type = ""] = command.split(" ");
    if (!["verify", "prestage", "delta"].includes(type)) return { lines: [], exit: 0 };
    const line = await pass(type, practice, carried, carrier);
    carrier.afterPass(practice);
    return { lines: [line], exit: 0 };
  };
  return await tellStory(practice, say, (text) => told.push(text));
}

async function pass(
  type: string,
  practice: Practice,
  carried: Set<string>,
  carrier: Carrier,
): Promise<PassLine> {
  const counts = {
    listed: 0,
    migrated: 0,
    duplicates: 0,
    filtered: 0,
    failed: 0,
    vanished: 0,
    notCarried: 0,
  };
  const limit = type === "prestage" ? Date.now() - 90 * day : Number.POSITIVE_INFINITY;
  for (const address of practice.addresses) {
    if (type === "verify") break;
    await using target = await open(practice, practice.targetOf(address));
    for (const mail of practice.old.held(address)) {
      const key = `${address} ${mail.folder} ${mail.uid}`;
      counts.listed += 1;
      if (carried.has(key)) counts.duplicates += 1;
      else if (Date.parse(mail.date) >= limit) counts.filtered += 1;
      else {
        carried.add(key);
        counts.migrated += 1;
        for (let copy = 0; copy < carrier.copies(mail); copy += 1) {
          await target.put(practice.folderOf(mail.folder), mail, carrier.flags(mail));
        }
      }
    }
  }
  const { licensesConsumed, state } = carrier;
  const licenses = {
    owned: 3,
    reserved: 0,
    consumed: licensesConsumed,
    free: 3 - licensesConsumed,
  };
  return { kind: "pass", type, state, ...counts, entries: [], licenses };
}

async function open(practice: Practice, user: string) {
  const imap = new ImapFlow({
    host: practice.new.host,
    port: practice.new.port,
    secure: false,
    doSTARTTLS: false,
    auth: { user: `${user}*practice`, pass: practice.password },
    logger: false,
  });
  await imap.connect();
  const made = new Set((await imap.list()).map((folder) => folder.pathAsListed));
  return {
    async put(folder: string, mail: HeldMail, flags: string[]) {
      if (!made.has(folder)) await imap.mailboxCreate(decoded(folder));
      made.add(folder);
      await imap.append(decoded(folder), mail.raw, flags, new Date(mail.date));
    },
    async [Symbol.asyncDispose]() {
      await imap.logout();
    },
  };
}

function decoded(folder: string): string {
  return folder.replace(/&([^-]*)-/g, (_, wide: string) =>
    wide === ""
      ? "&"
      : Buffer.from(wide.replaceAll(",", "/"), "base64").swap16().toString("utf16le"),
  );
}

describe("the demo", () => {
  it("says that every promise held when each mail was carried once", async () => {
    expect(await story(right)).toBe(true);
    expect(told.at(-1)).toContain("Every promise held");
  });

  it.each<[string, Partial<Carrier>]>([
    ["a mail lost", { copies: (mail) => (mail.folder === "INBOX" && mail.uid === 3 ? 0 : 1) }],
    [
      "a mail carried twice",
      { copies: (mail) => (mail.folder === "Sent" && mail.uid === 3 ? 2 : 1) },
    ],
    ["a flag lost", { flags: (mail) => mail.flags.filter((flag) => flag !== "\\Answered") }],
    ["a license too few", { licensesConsumed: 2 }],
    ["a pass with errors", { state: "completed_with_errors" }],
    [
      "the old place touched",
      { afterPass: (practice) => practice.old.deliver("anna@old.example", [stray]) },
    ],
  ])("notices %s", async (_, wrong) => {
    expect(await story({ ...right, ...wrong })).toBe(false);
    expect(told.join("\n")).toContain("BROKEN");
  });
});

const stray = {
  date: new Date("2026-01-01T00:00:00Z"),
  flags: [],
  raw: Buffer.from("Subject: x\r\n\r\n"),
};
