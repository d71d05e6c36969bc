import { describe, expect, test } from "vitest";
import { FolderError } from "../../../engine/domain/errors.ts";
import type { OpenTarget } from "../../../engine/domain/provider.ts";
import { imapProvider } from "../../../engine/providers/imap/provider.ts";
import { lookAt } from "../../contracts/provider.ts";
import {
  fetched,
  letterOf,
  type Misdeed,
  startHostile,
  type Talk,
} from "../../servers/hostile-imap.ts";
import { addressAt } from "./addresses.ts";

// A target that does not tell of all that stands there, when it is asked what became of a batch.

const letters = [1, 2, 3].map((uid) => ({ uid, body: letterOf("anna", "INBOX", uid), flags: "" }));
const expunged = "NO [EXPUNGEISSUED] Some messages were already expunged";

/** Opens INBOX, with three letters, of a target that answers FETCH with what it is given and says then how it ended. */
async function asked<Answer>(
  tell: (talk: Talk) => { told: string; end?: string },
  ask: (into: OpenTarget) => Promise<Answer>,
): Promise<{ answer: Answer; commands: string[] }> {
  const misdeed: Misdeed = async (talk) => {
    if (!talk.command.startsWith("UID FETCH")) return false;
    const { told, end = "OK done" } = tell(talk);
    await talk.send(`${told}${talk.tag} ${end}\r\n`);
    return true;
  };
  await using server = await startHostile({ misdeeds: { anna: misdeed } });
  await using target = await imapProvider().target(addressAt(server, "anna"));
  const answer = await ask(await target.open("INBOX"));
  const commands = server.commands.map((one) => one.replace(/^\S+ /, ""));
  return { answer, commands: commands.filter((one) => /^(UID FETCH|NOOP)/.test(one)) };
}

const uids = (into: OpenTarget) => into.uids();
const look = async (into: OpenTarget) => [...(await lookAt(into, 1)).keys()];
const thrown = (into: OpenTarget) => into.uids().catch((error: unknown) => error);

/** The second is told of with a flag that none can be, and cannot be read. */
const unread = ({ command }: Talk) => ({
  told: fetched(
    command,
    letters.map((one) => (one.uid === 2 ? { ...one, flags: "100%" } : one)),
  ),
});
/** The server has no bytes of the second. */
const withheld = ({ command }: Talk) => ({
  told: letters
    .map((one) => fetched(command, [one]))
    .join("")
    .replace(/(UID 2 .* BODY\[\]\S*) \{\d+\}\r\n[^)]*/, "$1 NIL"),
});
/** The first alone, and the others are said to be expunged, where `when` is so. */
const cutShort =
  (when: (talk: Talk) => boolean, end = expunged) =>
  (talk: Talk) =>
    when(talk)
      ? { told: fetched(talk.command, letters.slice(0, 1)), end }
      : { told: fetched(talk.command, letters) };

describe("which UIDs stand there is not said", () => {
  test("where an answer cannot be read: it fails the folder, which is named", async () => {
    const { answer } = await asked(unread, thrown);
    expect(answer).toBeInstanceOf(FolderError);
    expect(String(answer)).toContain("does not tell all that stands in INBOX");
  });

  test.each([expunged, "NO [EXPUNGEISSUED] Some of the requested messages no longer exist"])(
    "where the server never tells all of them: %s",
    async (end) => {
      const { answer, commands } = await asked(
        cutShort(() => true, end),
        thrown,
      );
      expect(answer).toBeInstanceOf(FolderError);
      expect(commands).toEqual(["NOOP", "UID FETCH 1:* (UID)", "NOOP", "UID FETCH 1:* (UID)"]);
    },
  );

  test("at once where some were expunged meanwhile: it is asked again", async () => {
    const { answer } = await asked(
      cutShort(({ nth }) => nth === 0),
      uids,
    );
    expect(answer).toEqual(new Set([1, 2, 3]));
  });
});

describe("a look leaves out, and fails for no other,", () => {
  test.each([
    ["a message in an answer that cannot be read", unread, [1, 3]],
    ["a message without its body", withheld, [1, 3]],
    ["what is said to be expunged", cutShort(() => true), [1]],
  ])("%s", async (_, tell, told) => {
    expect((await asked(tell, look)).answer).toEqual(told);
  });
});

test("a message without its body is among the UIDs", async () => {
  expect((await asked(withheld, uids)).answer).toEqual(new Set([1, 2, 3]));
});

test("a source that tells of messages in words nobody can read does not list those that are asked for by number", async () => {
  const misdeed: Misdeed = async (talk) => {
    if (!talk.command.startsWith("UID FETCH")) return false;
    await talk.send(`${unread(talk).told}${talk.tag} OK done\r\n`);
    return true;
  };
  await using server = await startHostile({ misdeeds: { anna: misdeed } });
  await using source = await imapProvider().source(addressAt(server, "anna"));
  const open = await source.open("INBOX");
  const listed = async (wanted?: number[]) =>
    (await Array.fromAsync(open.list(wanted))).flat().map(({ uid }) => uid);

  await expect(listed([2, 3])).rejects.toThrow(/in words that cannot be read/);
  // The count tells what is missing of it.
  expect([await listed(), open.state.count]).toEqual([[1, 3], 3]);
});

test("the UIDs from a number up leave out the last message where it is lower", async () => {
  const { answer, commands } = await asked(
    ({ command }) => ({ told: fetched(command, letters.slice(2)) }),
    (into) => into.uids(9),
  );
  expect(answer).toEqual(new Set());
  expect(commands).toEqual(["NOOP", "UID FETCH 9:* (UID)"]);
});
