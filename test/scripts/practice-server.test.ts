import { ImapFlow } from "imapflow";
import { expect, test } from "vitest";
import { freshMail, practiceMailbox } from "../../scripts/practice-mail.ts";
import { type PracticeServer, startPracticeServer } from "../../scripts/practice-server.ts";

const now = new Date("2026-11-20T10:00:00Z");
const master = { user: "practice", password: "open sesame" };

function office(): Promise<PracticeServer> {
  return startPracticeServer({
    master,
    people: [
      { address: "anna@old.example", password: "a", folders: practiceMailbox("anna", now) },
      { address: "bruno@old.example", password: "b", folders: practiceMailbox("bruno", now) },
    ],
  });
}

async function client(server: PracticeServer, user: string, pass: string): Promise<ImapFlow> {
  const imap = new ImapFlow({
    host: server.host,
    port: server.port,
    secure: false,
    doSTARTTLS: false,
    auth: { user, pass },
    logger: false,
  });
  await imap.connect();
  return imap;
}

test("a master opens each person's own mailbox, with nested and foreign names and special folders", async () => {
  await using server = await office();
  const anna = await client(server, "anna@old.example*practice", master.password);
  const bruno = await client(server, "bruno@old.example", "b");

  const folders = await anna.list({
    statusQuery: { messages: true, uidNext: true, uidValidity: true, highestModseq: true },
  });
  expect(folders.map((folder) => folder.path).sort()).toEqual(
    [
      "INBOX",
      "Sent",
      "Drafts",
      "Trash",
      "Projects",
      "Projects/Harbour",
      "Projects/Harbour/Offers & prices",
      "Rechnungen und Büro",
      "Café",
      "Café/Été 2026",
      "旅行",
    ].sort(),
  );
  expect(folders.find((folder) => folder.path === "Sent")?.specialUse).toBe("\\Sent");
  const offers = folders.find((folder) => folder.path.endsWith("Offers & prices"));
  expect(offers?.status).toMatchObject({ messages: 8, uidNext: 9, highestModseq: 9n });
  expect(await anna.status("INBOX", { messages: true })).toMatchObject({ messages: 60 });
  expect(await bruno.status("INBOX", { messages: true })).toMatchObject({ messages: 67 });
  await anna.logout();
  await bruno.logout();
});

test("a wrong password opens nothing", async () => {
  await using server = await office();

  await expect(client(server, "anna@old.example*practice", "guess")).rejects.toMatchObject({
    authenticationFailed: true,
  });
});

test("mail that is added comes back byte for byte, and reading leaves no trace", async () => {
  await using server = await office();
  const imap = await client(server, "anna@old.example", "a");
  await imap.mailboxCreate(["Neu", "Grüße"]);
  const raw = Buffer.from("Subject: caf\xe9 \r\n\r\n\xff line\r\n", "latin1");

  const added = await imap.append(
    "Neu/Grüße",
    raw,
    ["\\Seen", "$Label"],
    new Date("2020-02-29T12:34:56Z"),
  );
  const before = server.portrait("anna@old.example");
  await imap.mailboxOpen("Neu/Grüße", { readOnly: true });
  const read = await imap.fetchOne("1", {
    source: true,
    flags: true,
    internalDate: true,
    size: true,
  });

  expect(added).toMatchObject({ uid: 1 });
  expect(read).toMatchObject({ source: raw, size: raw.length });
  expect(read).toMatchObject({ internalDate: new Date("2020-02-29T12:34:56Z") });
  expect(read && [...(read.flags ?? [])].sort()).toEqual(["$Label", "\\Seen"]);
  expect(server.portrait("anna@old.example")).toBe(before);
  await imap.logout();
});

test("new mail arrives in the INBOX", async () => {
  await using server = await office();
  const before = server.held("anna@old.example").length;

  server.deliver("anna@old.example", freshMail("anna", now, 3));

  const imap = await client(server, "anna@old.example", "a");
  expect(await imap.status("INBOX", { messages: true })).toMatchObject({ messages: 63 });
  expect(server.held("anna@old.example")).toHaveLength(before + 3);
  await imap.logout();
});
