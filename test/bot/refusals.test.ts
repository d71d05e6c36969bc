import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type ChatWorld, canary, chatWorld } from "../doubles/chat-world.ts";

let world: ChatWorld;
beforeAll(async () => {
  world = await chatWorld({ people: ["anna"] });
  world.env.EMPTY = "";
  world.env.GODWIT_KEYS = canary;
  world.files["key.pem"] = "-----BEGIN PRIVATE KEY-----";
  world.files["no.pem"] = "nothing";
});
afterAll(() => world[Symbol.asyncDispose]());

/** What is typed, and what the refusal must say. */
const bad: [typed: string, says: RegExp][] = [
  // Commands.
  ["prestge 90d", /Did you mean `prestage`/],
  ["dleta", /Did you mean `delta`/],
  ["projct new x", /Did you mean `project`/],
  ["project nwe x", /Did you mean `project new`/],
  ["endpoint", /needs one more word.*`endpoint new`/],
  ["frobnicate", /“frobnicate” is not a command.*`help`/],
  ["repair", /nothing was carried from it yet; type `prestage 90d` or `full`/],
  ["repair ghost*", /No mailbox.*`list`/],
  ["remigrate", /Which mailboxes\?.*`remigrate <mailboxes> --because/],
  ["remigrate anna@old.example", /Why\?.*--because.*deleted, config, target, errors/],
  ["remigrate anna@old.example --because boredom", /Why\?.*deleted, config, target, errors/],
  ["remigrate anna@old.example --because config", /kept in the audit.*--reason "/],
  ['remigrate anna@old.example --because config --reason " "', /kept in the audit/],
  ["remigrate ghost* --because config --reason x", /No mailbox.*`list`/],
  ["remigrate anna* --because config --reason x", /was never carried.*`full anna@old.example`/],
  ['remigrate a* --because target --reason x --target "a b"', /mailbox holds a space/],
  [
    "remigrate a* --because target --reason x --target a@new.example --empty-target",
    /Leave out `--empty-target`/,
  ],
  [
    "endpoint remove old",
    /There is no `endpoint remove`; nothing was done\. Type one of `endpoint new`/,
  ],
  ["endpoint pace", /nothing was changed/],
  ["remigration", /needs one more word.*`remigration list`/],
  ["remigration show", /`remigration show 3`/],
  ["remigration show 9", /no remigration 9.*`remigration list`/],
  ["remigration tick 9 backup", /no remigration 9/],
  ["remigration tick 1 counts", /ticks itself.*`remigration tick 1 backup`/],
  ["approve", /`approve 3`/],
  ["approve 99", /No request 99/],
  ["deny x", /`deny 3`/],
  ["deny 99", /No request 99/],
  ["cutover", /`cutover` needs one more word/],
  ["cutover wach old.example", /Did you mean `cutover watch`/],
  ["remind", /Of what, and when\?.*`remind weekdays 18:00 delta`/],
  ["remind weekdays 18:00", /Of what, and when\?/],
  ["remind soon delta", /“soon” is not a time/],
  ["remind every moo 18:00 delta", /“moo” is no day of the week/],
  ["remind run 9", /no reminder 9.*`remind list`/],
  ["remind cancel x", /`remind cancel 3`/],
  ["schedule", /needs one more word.*`schedule list`/],
  ["schedule cancel", /`schedule cancel 3`/],
  ["schedule cancel 9", /no schedule 9.*`schedule list`/],
  ["schedule move 9", /To when\?.*`schedule move 9 <when>`/],
  ["schedule move 9 tomorrow 18:00", /no schedule 9/],
  ["schedule run x", /`schedule run 3`/],
  ["licenses add", /`licenses add 20 --note/],
  ["licenses add -5 --note x", /`licenses add 20 --note/],
  ["licenses add 1.5 --note x", /`licenses add 20 --note/],
  ["licenses add 5", /--note/],
  ["licenses buy 5", /`licenses add/],
  [
    "project set remigration sometimes",
    /"new license" or|one of "new license", "new license, target/,
  ],
  ["project set updates always", /knows only never/],
  ["project set moves follow", /knows only duplicate/],
  ["project set countedPasses verify", /one of prestage, full, delta, retry/],
  ["project set secondPerson.grants maybe", /one of on, off/],
  ["project set secondPerson.passesOver 0", /Write it like 50, or none/],
  ["project set policy custom", /one of rackspace, bittitan, cloudiway/],
  ['licenses add 5 --note "order', /quotation mark is opened and not closed/],
  ["link", /`link <project>`/],
  ["link nowhere", /no project nowhere.*`list projects`/],
  ["list everything", /`list entries`, `list closed` or `list projects`/],
  ["help frobnicate", /Type `help`/],
  ["status nobody@old.example", /No mailbox.*`list`/],
  ["status 99", /no pass 99/],
  ["report x", /`report 7`/],
  ["report 1 2", /`report 7`/],
  ["start", /`start 3`/],
  ["start x", /`start 3`/],
  ["start 99", /No plan 99.*again/],
  ["cancel 99", /No plan 99/],
  ["pause", /No pass.*`status`/],
  ["resume 5", /no pass 5/],
  ["stop a b", /`stop 7`/],
  ["unlink acme", /Type it alone/],
  ["delta --dry", /Did you mean `--dry-run`/],
  ["delta --dryrun", /Did you mean `--dry-run`/],
  ["delta --frobnicate", /does not know the option --frobnicate.*`--yes`/],
  ["delta --yes --yes", /given twice/],
  ["delta --yes=no", /takes no value/],
  ["delta --types", /needs a value: `--types mail`/],
  ["delta --types letters", /“letters” is no type.*`--types mail`/],
  ["delta --types calendar", /`--types mail`/],
  ["prestage 90d --types calendar", /carries mail only/],
  ["delta --at soon", /“soon” is not a time.*"in 2h"/],
  ['delta --at "2026-01-01 22:00"', /has passed.*"tomorrow 18:00"/],
  ["delta nobody@old.example", /No mailbox.*`list`/],
  ["delta ghost*", /No mailbox.*`list`/],
  ["retry 99", /no pass 99/],
  ["delta --project nowhere", /no project nowhere/],
  ["status \u0007", /control character/],
  // Limits.
  ["prestage", /`prestage 90d`/],
  ["prestage soon", /“soon” is not a limit. Write it like 90d, or a date like 2026-08-01\./],
  ["prestage 90", /“90” is not a limit. Write it like 90d/],
  ["prestage 0d", /Write it like 90d/],
  ["prestage -5d", /Write it like 90d/],
  ["prestage 36501d", /Write it like 90d/],
  ["prestage 1.5d", /Write it like 90d/],
  ["prestage 90days", /Write it like 90d/],
  ["prestage yesterday", /Write it like 90d/],
  ["prestage 2026-02-30", /no 2026-02-30.*2026-08-01/],
  ["prestage 2026-13-01", /no 2026-13-01/],
  ["prestage 01.08.2026", /a date like 2026-08-01/],
  ["prestage 2026-08-01 25:00", /calendar/],
  ["prestage 2026-03-29 02:30", /no 02:30 on 2026-03-29.*Write it like 2026-03-29 03:30/],
  ["prestage 2026-10-25 02:30", /came twice.*2026-10-25T02:30\+02:00 or 2026-10-25T02:30\+01:00/],
  ["prestage 2099-01-01", /future.*`prestage 90d`/],
  ["prestage anna@old.example", /is not a limit/],
  // Hosts.
  ["endpoint new", /acme/],
  ["endpoint new two words", /begins with imaps:\/\/ or imap:\/\//],
  ["endpoint new x", /`endpoint new x imaps:/],
  ["endpoint new x http://a.example", /begins with imaps/],
  ["endpoint new x imap://", /not a host name/],
  ["endpoint new x imap://a.example/INBOX", /no path/],
  ["endpoint new x imap://a.example?x=1", /no path/],
  ["endpoint new x imap://a.example:0", /1 to 65535/],
  ["endpoint new x imap://a.example:70000", /1 to 65535/],
  ["endpoint new x imap://anna@a.example", /no user name: type `--user`/],
  ["endpoint new x imap://a%0d%0aa.example", /not a host name/],
  ['endpoint new x "imap://a b.example"', /not a host name/],
  ["endpoint new x imap://-a.example", /not a host name/],
  ["endpoint new x imap://a..example", /not a host name/],
  ["endpoint new x imap://999.1.1.1", /not a host name/],
  ["endpoint new x imap://[::1%25eth0]", /not a host name/],
  ["endpoint new x imap://mail.old.example --insecure", /loopback.*`--ca <file>`/],
  ["endpoint new x imap://192.168.1.5 --insecure", /loopback/],
  ["endpoint new x imap://[::ffff:127.0.0.1] --insecure", /loopback/],
  ["endpoint new x imaps://127.0.0.1 --insecure", /TLS from the first byte/],
  ["endpoint new x imap://a.example --login oauth", /`--login master` or `--login user`/],
  ["endpoint new x imap://a.example --login xoauth2", /not in this version yet/],
  ["endpoint new x imap://a.example --login master", /`--user <name>`/],
  ["endpoint new x imap://a.example --login user --user m", /belongs to `--login master`/],
  ["endpoint new x imap://a.example --user m --master-format x", /`star`, `authzid`/],
  ["endpoint new x imap://a.example --fingerprint AA:BB", /32 hex pairs/],
  ["endpoint new x imap://a.example --ca gone.pem", /gone\.pem could not be read/],
  ["endpoint new x imap://a.example --ca key.pem", /private key/],
  ["endpoint new x imap://a.example --ca no.pem", /no certificate/],
  ["endpoint new x imap://a.example --dav https://a.example", /not in this version yet/],
  ["endpoint new x imap://a.example --user m --password-env UNSET", /UNSET is not set/],
  ["endpoint new x imap://a.example --user m --password-env EMPTY", /EMPTY is empty/],
  ["endpoint new x imap://a.example --user m --password-env GODWIT_KEYS", /belongs to Godwit/],
  ["endpoint new x imap://a.example --user m --password-env PATH", /belongs to Godwit/],
  ["endpoint new x imap://a.example --user m --password-env term", /belongs to Godwit/],
  ["endpoint new old imap://a.example", /old/],
  ["endpoint secret nowhere --password-env OLD_PASSWORD", /no endpoint nowhere/],
  ["endpoint secret old", /not typed into a chat.*--password-env/],
  // Projects and mailboxes.
  ["project new acme --from old --to new", /acme/],
  ["project new a/b --from old --to new", /letters, digits/],
  ["project new x", /--from <endpoint> --to <endpoint>/],
  ["project new x --from odl --to new", /Did you mean old/],
  ["project new x --from old --to new --policy gold", /rackspace, bittitan, cloudiway/],
  ["project new x --from old --to new --zone Berlin", /Europe\/Berlin/],
  ["project set", /`project set <key> <value>`/],
  ["project set befor 2026-01-01", /`project set before …`/],
  ["project set before", /needs a value/],
  ["project set before 90d", /Write it like 2026-08-01/],
  ["project set maxItemSize big", /25MB/],
  ["project set passesPerLicense 0", /10, or unlimited/],
  ["project set overLimit maybe", /block, consume, ask/],
  ["project set folders.map Sent", /Sent=Sent Items/],
  ["project set folders.exclude ,", /Junk,Archive/],
  ["project close", /Type the name/],
  ["add", /`add anna@old.example anna@new.example`/],
  ["add a@x b@x c@x", /do not make pairs.*`add anna@old/],
  ["add anna@@old.example b@x", /not an address/],
  ["add anna@old.example else@new.example", /anna@old\.example/],
  ['add "a b@x" c@x', /space/],
  ["add bob@x c@x bob@x d@x", /named twice/],
  ["import", /`import \.\/mailboxes\.csv`/],
  ["import gone.csv", /gone\.csv could not be read/],
];

describe("a refusal says what to type, and nothing is done", () => {
  test.each(bad)("%s", async (typed, says) => {
    const before = await stand();
    const { result, lines, passes } = await world.say(typed);
    const text = lines.map((line) => line.text).join("\n");
    expect(text).toMatch(says);
    expect(result).toBe("refused");
    expect(passes).toEqual([]);
    expect(lines.map((line) => line.kind)).toEqual(["private"]);
    expect(await stand()).toEqual(before);
    expect(text).not.toContain(canary);
  });
});

const secrets = [
  `endpoint new x imap://a.example --password ${canary}`,
  `endpoint new x imap://a.example --pass=${canary}`,
  `endpoint new x imap://a.example —password ${canary}`,
  `endpoint new x imap://m:${canary}@a.example`,
  `endpoint new x <imap://m:${canary}@a.example>`,
  `endpoint new x imap://a.example password=${canary}`,
  `endpoint secret old ${canary}`,
  `endpoint secret old --token ${canary}`,
  `endpoint new x imap://a.example --user m --password-env ${canary}`,
  `endpoint new x imap://a.example --user m --password-env ${canary.replaceAll("-", "_")}`,
  `frobnicate --secret "${canary}`,
  canary,
];

describe("a password typed into the chat is refused and told to nobody", () => {
  test.each(secrets)("%#", async (typed) => {
    const { result, lines } = await world.say(typed);
    expect(result).toBe("refused");
    const said = JSON.stringify([lines, await world.desk.audit.recent(null, 10)]);
    expect(said).not.toContain(canary);
    expect(said).not.toContain(canary.replaceAll("-", "_"));
  });

  test("the person is told to change it", async () => {
    expect(await world.hear(secrets[0] ?? "")).toMatch(
      /not repeated.*change it.*--password-env NAME/,
    );
  });
});

test("a stranger may ask for help and nothing else, and hears who may", async () => {
  const person = { id: "local:mallory", name: "mallory", guest: false };
  expect((await world.say("help", { person })).result).toBe("accepted");
  const { result, lines } = await world.say("delta --yes", { person });
  expect(result).toBe("refused");
  expect(lines[0]?.text).toMatch(/needs the role operator.*Ask an owner: local:owner/);
});

const inner = [
  "127.0.0.1",
  "2130706433",
  "0x7f.1",
  "0177.0.0.1",
  "[::1]",
  "[::ffff:10.0.0.1]",
  "localhost",
  "localhost.",
  "10.1.2.3",
  "172.16.0.1",
  "192.168.0.1",
  "169.254.169.254",
  "100.64.0.1",
  "224.0.0.1",
  "0.0.0.0",
  "[fc00::1]",
  "[fe80::1]",
  "[ff02::1]",
  "[64:ff9b::a00:1]",
  "mail.local",
];

describe("from afar", () => {
  const capabilities = { readsThisMachine: false, cannotPost: null };

  test.each(inner)("%s is refused as an endpoint", async (host) => {
    const { result, lines } = await world.say(`endpoint new x imap://${host}`, { capabilities });
    expect(lines[0]?.text).toMatch(/GODWIT_ENDPOINTS_ALLOWED/);
    expect(result).toBe("refused");
  });

  test.each([
    "endpoint new x imap://a.example --user m --password-env OLD_PASSWORD",
    "endpoint new x imap://a.example --ca ca.pem",
    "import list.csv",
  ])("%s does not read this machine", async (typed) => {
    const { result, lines } = await world.say(typed, { capabilities });
    expect(lines[0]?.text).toMatch(/machine Godwit runs on/);
    expect(result).toBe("refused");
  });
});

async function stand() {
  const { projects, licenses, passes, plans } = world.desk;
  const [project] = await projects.list();
  const id = project?.id ?? 0;
  return {
    projects: await projects.list(),
    endpoints: await projects.endpoints(),
    entries: await projects.entries(id),
    balance: await licenses.balance(id),
    passes: await passes.recent(id, 10),
    plan: await plans.look(1),
  };
}

test("of many mailboxes that cannot start, the first are named and the others counted", async () => {
  const people = Array.from({ length: 14 }, (_, n) => `user${n}`);
  await using world = await chatWorld({ people, licenses: 20 });
  await world.say("delta --yes");

  const told = await world.hear("retry user*");

  expect(told).toContain("user9@old.example");
  expect(told).not.toContain("user10@old.example");
  expect(told).toContain("and 4 more");
});
