import { expect, test } from "vitest";
import { ensureFolder } from "../../../engine/providers/imap/ensure.ts";
import { type Directory, listFolders } from "../../../engine/providers/imap/folders.ts";
import { usualLimits } from "../../../engine/providers/imap/limits.ts";
import type { Session } from "../../../engine/providers/imap/session.ts";
import { imapSource } from "../../../engine/providers/imap/source.ts";

const atom = (value: string) => ({ type: "ATOM", value });

type Send = Session["send"];

/** A session whose server answers as it is told. */
function session(answer: (...said: Parameters<Send>) => Partial<Awaited<ReturnType<Send>>>) {
  return {
    who: { mailbox: "m", endpoint: "e", host: "h", port: 1, remedy: "", secrets: [] },
    limits: usualLimits,
    unreadable: () => 0,
    has: () => false,
    number: () => null,
    send: async (...said: Parameters<Send>) => ({
      status: "OK",
      code: [],
      text: "",
      ...answer(...said),
    }),
    [Symbol.asyncDispose]: async () => {},
  } as unknown as Session;
}

type Untagged = Parameters<NonNullable<Parameters<Send>[2]>[string]>[0];
const said = (attributes: unknown[]) => ({ attributes }) as unknown as Untagged;

/** What is said of a folder with so many messages when it is opened. */
function opened(untagged: Parameters<Send>[2], count: number): void {
  untagged?.EXISTS?.({ command: String(count) } as unknown as Untagged);
  untagged?.OK?.(said([{ section: [atom("UIDVALIDITY"), atom("1")] }]));
  untagged?.OK?.(said([{ section: [atom("UIDNEXT"), atom("6")] }]));
}

test("two folders whose names are one when decoded are both carried", async () => {
  const server = session((command, _, untagged) => {
    if (command !== "LIST") return {};
    for (const name of ["INBOX", "R&D", "R&-D"]) {
      untagged?.LIST?.(said([[], atom("/"), atom(name)]));
    }
    return {};
  });
  const { folders } = await listFolders(server, false);
  expect(folders.map((folder) => folder.wire).sort()).toEqual(["INBOX", "R&-D", "R&D"]);
  expect(new Set(folders.map((folder) => folder.path)).size).toBe(3);
});

test.each([6, 4])(
  "a server that knows no pieces gives a message of %i MB once",
  async (megabytes) => {
    const whole = Buffer.alloc(megabytes * 1024 * 1024, 97);
    let fetches = 0;
    const server = session((command, _, untagged) => {
      if (command === "EXAMINE") opened(untagged, 1);
      if (command === "UID FETCH") {
        fetches += 1;
        if (fetches > 5) throw new Error("It is asked again and again.");
        const fields = [
          atom("UID"),
          atom("1"),
          atom("RFC822.SIZE"),
          atom(String(whole.length)),
          atom("FLAGS"),
          [],
          { type: "ATOM", value: "BODY", section: [] },
          { type: "LITERAL", value: whole },
        ];
        untagged?.FETCH?.(said([atom("1"), fields]));
      }
      return {};
    });
    const open = await imapSource(server).open("INBOX");
    let bytes = 0;
    for await (const item of open.read([1])) {
      for await (const part of item.body) bytes += part.length;
    }
    expect(bytes).toBe(whole.length);
  },
);

test("ten messages a second of a listing are enough, and who tells of more than there are gains no time", async () => {
  const seconds: number[] = [];
  const server = session((command, _, untagged) => {
    if (command === "EXAMINE") opened(untagged, 20);
    for (let uid = 1; command === "UID FETCH" && uid <= 25; uid += 1) {
      const fields = [atom("UID"), atom(String(uid)), atom("RFC822.SIZE"), atom("5")];
      const useful = untagged?.FETCH?.(said([atom(String(uid)), fields]));
      seconds.push(Number(useful) / usualLimits.leastRate);
    }
    return {};
  });
  const open = await imapSource(server).open("INBOX");
  await Array.fromAsync(open.list());

  const sum = seconds.slice(0, 20).reduce((total, one) => total + one, 0);
  expect(sum).toBeCloseTo(2);
  expect(seconds.slice(20)).toEqual([0, 0, 0, 0, 0]);
});

test("a folder the target has under another spelling is called as the target calls it", async () => {
  const server = session((command) =>
    command === "CREATE" ? { status: "NO", code: ["ALREADYEXISTS"], text: "exists" } : {},
  );
  const directory = {
    folders: [
      { path: "INBOX", wire: "INBOX", segments: ["INBOX"], role: "inbox" },
      { path: "archiv", wire: "archiv", segments: ["archiv"], role: null },
    ],
    prefix: "",
    delimiter: "/",
  } as unknown as Directory;
  const wanted = { segments: ["Archiv"], role: null, parent: null };
  expect(await ensureFolder(server, directory, wanted, new Set())).toBe("archiv");
});
