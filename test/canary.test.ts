import { randomBytes } from "node:crypto";
import { chmod, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { migrate, openDatabase } from "../db/open.ts";
import { knexProjects } from "../db/projects.ts";
import { wallClock } from "../engine/domain/clock.ts";
import { type Sealer, Secret } from "../engine/domain/secret.ts";
import { makeKey } from "../engine/secrets.ts";
import { letters } from "./doubles/letters.ts";
import {
  type CommandLine,
  type Ended,
  openCommandLine,
  type Variables,
} from "./servers/command-line.ts";
import { type Dovecot, startDovecot } from "./servers/dovecot.ts";
import { startProxy } from "./servers/proxy.ts";

// Secrets that stand nowhere else go through everything that touches secrets; then they are looked for.

/** With characters that change when they are quoted, encoded or escaped. */
const canary = (name: string) => `${name}/"+%ü${randomBytes(6).toString("hex")}`;
const master = canary("master");
const wrong = canary("wrong");
const alices = canary("alice");
const bobs = canary("bob");
const pasted = `pasted-${randomBytes(6).toString("hex")}`;
const oldKey = makeKey(new Date("2026-01-01T00:00:00Z"));
const newKey = makeKey(new Date("2026-02-01T00:00:00Z"));
const keyOf = (key: string) => key.split(":")[1] ?? "";
const all = [master, wrong, alices, bobs, pasted, keyOf(oldKey), keyOf(newKey)];
all.push(pasted.replaceAll("-", "_"));

let folder: string;
let old: Dovecot;
let fresh: Dovecot;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "canary-"));
  await chmod(folder, 0o755);
  const people = join(folder, "people");
  await writeFile(
    people,
    `alice@new.example:{PLAIN}${alices}\nbob@new.example:{PLAIN}${bobs}\nmaster:{PLAIN}${master}\n`,
  );
  const passdb = (rest: string) =>
    `passdb {\n  driver = passwd-file\n  args = ${people}\n${rest}\n}`;
  [old, fresh] = await Promise.all([
    startDovecot({ extra: [passdb("  master = yes")] }),
    startDovecot({ extra: [passdb("")] }),
  ]);
  for (const user of ["alice", "bob"]) {
    await using client = await old.login(`${user}@old.example`);
    const mails = letters({ seed: user.length, count: 40, size: { min: 200, max: 900 } });
    await client.appendMany(
      "INBOX",
      mails.map(({ raw, date }) => ({ body: raw, date: date.getTime() })),
    );
  }
});

afterAll(async () => {
  await Promise.all([old?.[Symbol.asyncDispose](), fresh?.[Symbol.asyncDispose]()]);
  await rm(folder, { recursive: true, force: true });
});

/** Every form a secret could be written in. Of Base64, what is the same whatever stands before and behind. */
function forms(secret: string): string[] {
  const bytes = Buffer.from(secret);
  const within = [0, 1, 2].map((before) => {
    const text = Buffer.concat([Buffer.alloc(before), bytes]).toString("base64");
    return text.replace(/=+$/, "").slice(before === 0 ? 0 : 4, -1);
  });
  const sasl = ["alice@new.example", "alice@old.example*master", "master"].map((user) =>
    Buffer.from(`\0${user}\0${secret}`).toString("base64"),
  );
  return [
    bytes.toString("latin1"),
    Buffer.from(JSON.stringify(secret).slice(1, -1)).toString("latin1"),
    encodeURIComponent(secret),
    bytes.toString("hex"),
    Buffer.from(secret, "utf16le").toString("latin1"),
    ...within,
    ...within.map((text) => text.replaceAll("+", "-").replaceAll("/", "_")),
    ...sasl,
  ];
}

/** Which secrets stand where. */
function found(places: Map<string, Buffer>, secrets: string[]): string[] {
  const hits = new Set<string>();
  for (const [place, bytes] of places) {
    const text = bytes.toString("latin1");
    for (const secret of secrets) {
      if (forms(secret).some((form) => text.includes(form))) hits.add(`${secret} in ${place}`);
    }
  }
  return [...hits];
}

/** Every file in a folder, however deep. */
async function files(of: string): Promise<Map<string, Buffer>> {
  const entries = await readdir(of, { recursive: true, withFileTypes: true });
  const read = entries
    .filter((entry) => entry.isFile())
    .map(async ({ parentPath, name }) => {
      const path = join(parentPath, name);
      return [path.slice(of.length + 1), await readFile(path)] as const;
    });
  return new Map(await Promise.all(read));
}

/** Every row of every table as JSON: a long text may lie in pieces in the file. */
async function rows(databaseUrl: string): Promise<Map<string, Buffer>> {
  await using database = await openDatabase(databaseUrl);
  const tables = await database.knex("sqlite_master").where({ type: "table" }).pluck("name");
  const tabled = tables.map(async (name: string) => {
    const content = await database.knex(name).select("*");
    return [
      `table ${name}`,
      Buffer.from(content.map((row) => Object.values(row).join("\n")).join("\n")),
    ] as const;
  });
  return new Map(await Promise.all(tabled));
}

/** Looks at all there is: what was said, the files, the rows. */
async function everywhere(
  line: CommandLine,
  said: Map<string, Ended>,
): Promise<Map<string, Buffer>> {
  const outputs = [...said].flatMap(([what, { stdout, stderr }]) => [
    [`stdout of ${what}`, Buffer.from(stdout)] as const,
    [`stderr of ${what}`, Buffer.from(stderr)] as const,
  ]);
  return new Map([...outputs, ...(await files(line.folder)), ...(await rows(line.databaseUrl))]);
}

const secretVariables = {
  OLD_PASSWORD: master,
  WRONG_PASSWORD: wrong,
  ALICE_NEW: alices,
  BOB_NEW: bobs,
};

describe("no secret is found in outputs, files or rows", () => {
  test("after every command that touches one, a wrong password, a TLS failure, a server that repeats it and a crash", async () => {
    await using line = await openCommandLine({ LOG_LEVEL: "trace", GODWIT_KEYS: oldKey });
    const said = new Map<string, Ended>();
    const chat = async (what: string, words: string[], env: Variables = {}) => {
      const ended = await line.godwit(["chat", "--json", ...words], { ...secretVariables, ...env });
      said.set(what, ended);
      return ended.code;
    };
    const rules: Parameters<typeof startProxy>[1] = {
      rules: [{ on: /^APPEND /i, nth: 1, do: "silence before answer" }],
    };
    await using lossy = await startProxy(fresh, rules);
    await line.write(
      "people.csv",
      "source,target,target_password_env\nalice@old.example,alice@new.example,ALICE_NEW\nbob@old.example,bob@new.example,WRONG_PASSWORD\n",
    );
    await line.write(
      "again.csv",
      "source,target,target_password_env\nbob@old.example,bob@new.example,BOB_NEW\n",
    );

    expect(
      await chat("setting up", [
        `endpoint new old imap://127.0.0.1:${old.port} --login master --user master --password-env WRONG_PASSWORD --insecure`,
        `endpoint new new imap://127.0.0.1:${lossy.port} --login user --insecure`,
        "project new acme --from old --to new",
        'licenses add 9 --note "order 1"',
        "import ./people.csv",
        "endpoint list",
      ]),
    ).toBe(0);
    expect(await chat("a wrong master password", ["verify"])).toBe(3);
    expect(
      await chat("a wrong person's password", [
        "endpoint secret old --password-env OLD_PASSWORD",
        "verify",
        "report",
      ]),
    ).toBe(3);

    // What each was given comes back in the server's words; whose login comes first is open.
    const repeated = ["alice", "bob"].map((name) => `${name}@new.example`);
    const sent = [alices, bobs].map((secret, at) =>
      Buffer.from(`\0${repeated[at]}\0${secret}`).toString("base64"),
    );
    lossy.rules.push({
      on: /^(AUTHENTICATE|LOGIN) /i,
      do: "answer",
      with: `NO [ALERT] ${sent.join(" and ")}, so ${alices} and ${bobs} are wrong`,
    });
    expect(await chat("a server that repeats it", ["import ./again.csv", "verify", "report"])).toBe(
      3,
    );

    // A certificate nobody vouches for, at the real server.
    expect(
      await chat("a TLS failure", [
        `endpoint new tls imaps://127.0.0.1:${fresh.tlsPort} --login master --user master --password-env OLD_PASSWORD`,
        "project new other --from tls --to old",
        "link other",
        "add alice@new.example alice@old.example",
        "verify",
        "link acme",
      ]),
    ).toBe(3);

    const killed = line.start(["chat", "--json", "full --yes"], secretVariables);
    await vi.waitFor(() => expect(lossy.commands.some((one) => /^APPEND /i.test(one))).toBe(true), {
      timeout: 30_000,
    });
    killed.kill("SIGKILL");
    said.set("a crash", await killed.ended);
    const left = await files(line.folder);
    expect([...left.keys()]).toEqual(
      expect.arrayContaining(["godwit.db", "godwit.db-wal", "godwit.db-shm"]),
    );
    expect([...left.keys()].some((name) => name.startsWith("godwit.db.locks/"))).toBe(true);
    expect(found(left, all), "right after the crash").toEqual([]);

    const both = { GODWIT_KEYS: `${newKey},${oldKey}` };
    said.set("rotating", await line.godwit(["keys", "rotate"], both));
    const serve = line.start(["serve"], { GODWIT_KEYS: newKey });
    await serve.says(/Full pass of acme: completed/);
    for (const words of pastes) serve.type(words);
    serve.type("exit");
    said.set("going on", await serve.ended);
    said.set("a look around", await line.godwit(["doctor"], { GODWIT_KEYS: newKey }));
    said.set("a wrong key", await line.godwit(["doctor"], { GODWIT_KEYS: oldKey }));
    expect([...said].map(([what, { code }]) => [what, code])).toMatchObject({
      length: 10,
      6: ["rotating", 0],
      7: ["going on", 0],
      8: ["a look around", 0],
      9: ["a wrong key", 1],
    });

    const places = await everywhere(line, said);
    expect(places.get("table transcript")?.toString()).toMatch(/change it/);
    expect(places.get("table endpoints")?.toString()).toMatch(/v1\.k20260201/);
    expect(found(places, all)).toEqual([]);
  });
});

/** A password pasted in the ways people do. */
const pastes = [
  `endpoint new x imap://a.example --password ${pasted}`,
  `endpoint new x imap://a.example --pass=${pasted}`,
  `endpoint new x imap://a.example —password ${pasted}`,
  `endpoint new x imap://m:${pasted}@a.example`,
  `endpoint new x <imap://m:${pasted}@a.example>`,
  `endpoint new x imap://a.example password=${pasted}`,
  `endpoint secret old ${pasted}`,
  `endpoint secret old --token ${pasted}`,
  `endpoint new x imap://a.example --user m --password-env ${pasted}`,
  `endpoint new x imap://a.example --user m --password-env ${pasted.replaceAll("-", "_")}`,
  `frobnicate --secret "${pasted}`,
  pasted,
];

describe("the search finds what is there", () => {
  test.each(forms(master).map((form, index) => [index, form] as const))(
    "in form %i",
    async (_, form) => {
      await using line = await openCommandLine();
      await line.write("left.log", "");
      await writeFile(
        join(line.folder, "left.log"),
        Buffer.from(`before ${form} behind`, "latin1"),
      );
      expect(found(await files(line.folder), [master, alices])).toEqual([`${master} in left.log`]);
    },
  );

  test("in a database whose sealer seals nothing", async () => {
    await using line = await openCommandLine();
    {
      await using database = await openDatabase(line.databaseUrl);
      await migrate(database);
      const open: Sealer = { seal: (secret) => secret.reveal(), open: (text) => new Secret(text) };
      await knexProjects(database, open, wallClock).addEndpoint({
        name: "old",
        provider: "imap",
        host: "127.0.0.1",
        port: 143,
        security: "none",
        login: "master",
        masterUser: "master",
        masterFormat: "star",
        masterPassword: new Secret(master),
        ca: null,
        fingerprint: null,
        inward: true,
      });
    }
    const hits = found(await everywhere(line, new Map()), all);
    expect(hits.some((hit) => hit.startsWith(`${master} in godwit.db`))).toBe(true);
    expect(hits).toContain(`${master} in table endpoints`);
  });
});
