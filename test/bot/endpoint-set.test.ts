import { afterEach, expect, test } from "vitest";
import { changeOf, type Typed, type Wanted } from "../../bot/endpoint-change.ts";
import { told } from "../../bot/wording/endpoint.ts";
import { Secret } from "../../engine/domain/secret.ts";
import { carryRun } from "../../engine/worker.ts";
import { endpoint, newEntry } from "../contracts/books.ts";
import { type ChatWorld, canary, chatWorld } from "../doubles/chat-world.ts";
import { letter } from "../doubles/twisted.ts";

let world: ChatWorld;
afterEach(() => world?.[Symbol.asyncDispose]());

const afar = { capabilities: { readsThisMachine: false, cannotPost: null } };
const pin = Array(32).fill("AB").join(":");
const pem = "-----BEGIN CERTIFICATE-----";
const old = async () => (await world.desk.projects.endpoint("old"))!;

async function house(): Promise<void> {
  world = await chatWorld({ people: ["anna"] });
  world.files["ca.pem"] = pem;
}

test("what is typed of an endpoint replaces what was there, the rest stays, and both are told", async () => {
  await house();
  await world.say("endpoint pace old 5");
  const was = await old();

  expect(await world.hear("endpoint set OLD imaps://mail.old.example:1993")).toBe(
    [
      "Endpoint old has another address.",
      "before  127.0.0.1:1143, without TLS, logs in as master master (star)",
      "now     mail.old.example:1993, TLS, logs in as master master (star)",
      "Its password stays. Type `verify` to try it.",
    ].join("\n"),
  );

  const place = { host: "mail.old.example", port: 1993, security: "tls" };
  expect(await old()).toEqual({ ...was, ...place });
  expect((await old()).masterPassword?.reveal()).toBe(canary);
  expect(await world.hear("endpoint list")).toMatch(
    /^old .*1993, .*, at most 5 mailboxes at once/m,
  );
  expect(await world.hear("endpoint list")).toMatch(/^new .*127\.0\.0\.1:2143/m);
});

test("a master, a format, an authority and a pinned certificate are given and taken back", async () => {
  await house();
  await world.say("endpoint set old imaps://mail.old.example");

  expect(await world.hear("endpoint set old --user boss --master-format authzid")).toMatch(
    /^Endpoint old has another master's name, another master format\.\n.*If this master has another, type `endpoint secret old`/s,
  );
  expect(await world.hear(`endpoint set old --fingerprint ${pin.toLowerCase()}`)).toContain(
    "now     mail.old.example:993, TLS, one certificate trusted, logs in as master boss (authzid)",
  );
  expect(await world.hear(`endpoint set old --fingerprint ${pin.replace("AB", "CD")}`)).toContain(
    "Endpoint old has another pinned certificate.",
  );
  expect(await world.hear("endpoint set old --ca ca.pem")).toContain("Type `--fingerprint none`");
  expect((await old()).ca).toBeNull();
  await world.say("endpoint set old --fingerprint none --ca ca.pem");
  expect(await old()).toMatchObject({ fingerprint: null, ca: pem, masterUser: "boss" });
  await world.say("endpoint set old --ca NONE");
  expect((await old()).ca).toBeNull();
  expect((await old()).masterPassword?.reveal()).toBe(canary);
  expect(await world.hear("endpoint set old --ca none")).toBe(
    `Endpoint old is that already: ${told(await old())}. Nothing was changed.`,
  );
});

test("nothing is changed while a pass is under way; a paused one goes on at the new address", async () => {
  await house();
  world.system.deliver("anna@old.example", "INBOX", letter(1));
  await world.say("full --yes");
  const typed = "endpoint set old imaps://mail.old.example";

  const { result, lines } = await world.say(typed);

  expect(result).toBe("refused");
  expect(lines[0]?.text).toBe(
    "Pass 1 of acme is under way; nothing was changed. Type `pause 1 --project acme` first, this again once it is paused, then `resume 1 --project acme`.",
  );
  expect((await old()).host).toBe("127.0.0.1");
  expect((await world.say("pause 1 --project acme")).result).toBe("accepted");
  const changed = await world.hear(typed);
  expect(changed).toContain("now     mail.old.example:993");
  expect(changed).not.toContain("What was carried stays noted");
  expect((await world.say("resume 1 --project acme")).result).toBe("accepted");
  expect(await hostsOpened()).toEqual(["mail.old.example"]);
  expect(world.system.letters("anna@new.example", "INBOX")).toHaveLength(1);
  expect(await world.hear("endpoint set new imaps://mail.new.example")).toContain(
    "What was carried stays noted: this has to be the same mail system.",
  );
});

/** Carries what waits; which hosts the sources were opened at. */
async function hostsOpened(): Promise<string[]> {
  const hosts: string[] = [];
  const imap: typeof world.works.providers.imap = {
    source(address) {
      hosts.push(address.endpoint.host);
      return world.system.source(address);
    },
    target: world.system.target,
  };
  const works = { ...world.works, providers: { ...world.works.providers, imap } };
  for (const run of await world.desk.passes.waiting(10)) {
    await carryRun(run, works, new AbortController().signal);
  }
  return hosts;
}

test.each([
  ["another host", "endpoint set old imaps://mail.evil.example"],
  ["another port", "endpoint set old imaps://mail.old.example:9993"],
  ["STARTTLS in place of TLS", "endpoint set old imap://mail.old.example:993"],
  ["another certificate", `endpoint set old --fingerprint ${pin.replace("AB", "CD")}`],
  ["any certificate", "endpoint set old --fingerprint none"],
])("a password is not led to %s by somebody in a chat: it is forgotten", async (_, typed) => {
  await house();
  await world.say(`endpoint set old imaps://mail.old.example --fingerprint ${pin}`);

  expect(await world.hear(typed, afar)).toMatch(
    /\nIts password was forgotten, .*: type `endpoint secret old`\.$/m,
  );

  expect((await old()).masterPassword).toBeNull();
  expect(await world.hear("list")).toContain("endpoint secret old");
  expect((await world.desk.projects.endpoint("new"))?.masterPassword?.reveal()).toBe(canary);
});

test.each([
  ["the master's name", afar, "endpoint set old --user boss"],
  ["the master format", afar, "endpoint set old --master-format authzid"],
  ["the same address", afar, `endpoint set old imaps://mail.old.example --fingerprint ${pin}`],
  ["another host, at this machine", {}, "endpoint set old imaps://mail2.old.example"],
])(
  "a password stays where it goes to the same server or at this machine: %s",
  async (_, from, typed) => {
    await house();
    await world.say(`endpoint set old imaps://mail.old.example --fingerprint ${pin}`);

    expect((await world.say(typed, from)).result).toBe("accepted");

    expect(await old()).toMatchObject({ fingerprint: pin, inward: true });
    expect((await old()).masterPassword?.reveal()).toBe(canary);
  },
);

test("where mailboxes have passwords of their own, only this machine leads them elsewhere", async () => {
  await house();
  await world.say("endpoint new own imaps://mail.own.example --login user");
  await world.say("project new globex --from old --to own");
  const { projects } = world.desk;
  const globex = await projects.byName("globex");
  const typed = "endpoint set own imaps://mail2.own.example";
  expect(await world.hear(typed, afar)).toMatch(
    /now {5}mail2\.own\.example:993.*It may not lead into private networks/s,
  );
  const [bob] = await projects.add(globex!.id, [
    newEntry("bob", { targetPassword: new Secret(canary) }),
  ]);

  expect(await world.hear(typed)).toMatch(
    /^Endpoint own stays where it is\..*It may lead into private networks now\.$/s,
  );
  const refused = await world.say("endpoint set own imaps://mail3.own.example", afar);

  expect(refused.result).toBe("refused");
  expect(refused.lines[0]?.text).toBe(
    "At own 1 mailbox has a password of its own, which a change from a chat could lead elsewhere; nothing was changed. On the machine Godwit runs on type `npm run -s godwit -- chat 'endpoint set own …'`.",
  );
  expect((await projects.endpoint("own"))?.host).toBe("mail2.own.example");
  expect(await world.hear("endpoint set own imaps://mail3.own.example")).toContain(
    "The passwords of its mailboxes stay.",
  );
  const { target } = await projects.addresses(bob!.id);
  expect([target.endpoint.host, target.password?.reveal()]).toEqual(["mail3.own.example", canary]);
});

test("another authority counts as another server, and the same one does not", () => {
  const now = { ...endpoint("old", { ca: pem }), id: 1 };
  const becomes = (ca: string | null, here: boolean) =>
    changeOf({ ca }, { here, listed: false }, now, 0);

  expect(becomes(null, false)).toEqual({ ca: null, masterPassword: null });
  expect(becomes(null, true)).toEqual({ ca: null });
  expect(becomes(pem, false)).toEqual({ ca: pem });
});

test("an endpoint may lead inside only where somebody at the machine named it, or its host is listed", () => {
  const there = { host: "mail.old.example", port: 993, security: "tls" } as const;
  const elsewhere = { ...there, host: "mail2.old.example" };
  const now = (inward: boolean) => ({ ...endpoint("old", { ...there, inward }), id: 1 });
  const inward = (wanted: Wanted, typed: Typed, before: boolean) =>
    changeOf(wanted, typed, now(before), 0).inward;
  const chat = { here: false, listed: false };

  expect(inward({ place: elsewhere }, chat, true)).toBe(false);
  expect(inward({ place: elsewhere }, { ...chat, listed: true }, false)).toBe(true);
  expect(inward({ place: elsewhere }, { ...chat, here: true }, false)).toBe(true);
  expect(inward({ place: there }, chat, true)).toBe(true);
  expect(inward({ place: there }, chat, false)).toBe(false);
  expect(inward({ masterUser: "boss" }, { ...chat, here: true }, false)).toBeUndefined();
});

test.each([
  ["endpoint set", /A name for the endpoint is missing/],
  ["endpoint set old", /What is to change of old\? Nothing was changed\..*`help endpoint set`/],
  ["endpoint set old imaps://a.example b", /What is to change of old\?/],
  ["endpoint set nowhere imaps://a.example", /no endpoint nowhere; nothing was changed/],
  ["endpoint set old http://a.example", /begins with imaps.*nothing was done/],
  ["endpoint set old imap://a.example --insecure", /loopback addresses alone/],
  ["endpoint set old --insecure", /`--insecure` belongs to an address; nothing was changed/],
  ["endpoint set old --user ' '", /`--user <name>`/],
  ["endpoint set old --master-format x", /`star`, `authzid`.*nothing was done/],
  ["endpoint set old --fingerprint AA:BB", /32 hex pairs/],
  ["endpoint set old --ca gone.pem", /gone\.pem could not be read; nothing was done/],
  ["endpoint set old --ca ca.pem", /old would have one to look for; nothing was changed/],
  ["endpoint set old imap://127.0.0.1 --insecure --ca ca.pem", /Type one of them/],
  ["endpoint set old --login user", /carries everything anew; nothing was changed/],
  ["endpoint set own --user boss", /own logs in with each mailbox's own.*nothing was changed/],
  ["endpoint set own --master-format authzid", /has no master; nothing was changed/],
])("%s is refused with what to type", async (line, words) => {
  await house();
  await world.say("endpoint new own imaps://mail.own.example --login user");
  const before = await world.desk.projects.endpoints();

  const { result, lines } = await world.say(line);

  expect(result).toBe("refused");
  expect(lines.map(({ text }) => text).join("\n")).toMatch(words);
  expect(await world.desk.projects.endpoints()).toEqual(before);
});

test.each([
  ["endpoint set old imaps://127.0.0.1", /GODWIT_ENDPOINTS_ALLOWED/],
  ["endpoint set old imaps://10.0.0.7", /GODWIT_ENDPOINTS_ALLOWED/],
  ["endpoint set old --ca ca.pem", /machine Godwit runs on/],
])("from a chat %s is refused, and everything stays", async (line, words) => {
  await house();
  const before = await world.desk.projects.endpoints();

  const { result, lines } = await world.say(line, afar);

  expect([result, lines[0]?.text]).toEqual(["refused", expect.stringMatching(words)]);
  expect(await world.desk.projects.endpoints()).toEqual(before);
});
