import { Writable } from "node:stream";
import { inspect } from "node:util";
import pino from "pino";
import { describe, expect, test } from "vitest";
import { shape } from "../../bot/log.ts";
import { redact } from "../../bot/redact.ts";
import { redactText } from "../../bot/redact-text.ts";
import { hidePassword, Secret } from "../../engine/domain/secret.ts";

// What nobody said is a secret has to be known by its name or its form; what a Secret held is known by itself.

const canary = 'k4/"+%ü canary';
const token = "canary-4711-token";
const held = new Secret('held/"+%ü\\ by us');

const within = (value: string) => [
  value,
  encodeURIComponent(value),
  Buffer.from(value).toString("base64"),
  Buffer.from(`\0anna@old.example\0${value}`).toString("base64"),
  Buffer.from(`xx\0m\0${value}`).toString("base64url"),
];

/** The line of JSON the log writes for these facts. */
function logged(facts: object, options: pino.LoggerOptions = shape): string {
  let lines = "";
  const into = new Writable({
    write(chunk, _encoding, done) {
      lines += String(chunk);
      done();
    },
  });
  pino(options, into).error(facts, "something failed");
  return lines;
}

/** Whether any of it can be read, in whatever form. */
function leaks(text: string, secret = canary): boolean {
  const forms = [
    ...within(secret),
    JSON.stringify(secret).slice(1, -1),
    JSON.stringify(JSON.stringify(secret).slice(1, -1)).slice(1, -1),
  ];
  return forms.some((form) => text.includes(form));
}

function deep(levels: number, value: unknown): unknown {
  let all = value;
  for (let level = 0; level < levels; level += 1) all = { inner: all };
  return all;
}

class Client {
  options = { auth: { user: "m", pass: canary } };
  headers = [["Authorization", `Bearer ${canary}`]];
}

const axios = () =>
  Object.assign(new Error("Request failed with status code 401"), {
    code: "ERR_BAD_REQUEST",
    config: { headers: { Authorization: `Bearer ${canary}` }, data: `password=${canary}` },
    response: { status: 401, config: { auth: { password: canary } } },
  });

describe("a log line holds no secret", () => {
  test.each<[string, () => object]>([
    ["by its name, twelve deep", () => ({ it: deep(12, { password: canary }) })],
    ["whatever it is called, deeper than is looked", () => ({ it: deep(12, canary) })],
    ["on an error with its request", () => ({ err: axios() })],
    ["on an error in a list", () => ({ all: [axios(), { err: axios() }] })],
    ["in the cause of a cause", () => ({ err: new Error("a", { cause: axios() }) })],
    ["in several errors at once", () => ({ err: new AggregateError([axios(), axios()], "all") })],
    ["in a Map", () => ({ it: new Map([["session", new Map([["authToken", canary]])]]) })],
    ["in a Set of objects", () => ({ it: new Set([{ cookie: canary }]) })],
    ["in the fields of a class", () => ({ it: new Client() })],
    ["in raw headers", () => ({ rawHeaders: ["Host", "a", "Set-Cookie", canary, "Date", "b"] })],
    ["as a name and a value", () => ({ headers: [{ name: "Authorization", value: canary }] })],
    ["in a Buffer", () => ({ it: Buffer.from(canary), list: [new Uint8Array(5)] })],
    ["in a Buffer as JSON", () => ({ it: Buffer.from(canary).toJSON() })],
    [
      "behind a getter",
      () => ({
        it: {
          get anything() {
            return canary;
          },
        },
      }),
    ],
    ["in what an object says of itself", () => ({ it: { toJSON: () => ({ oh: canary }) } })],
    ["in a proxy", () => ({ it: new Proxy({}, { get: () => canary }) })],
    ["in JSON in a text", () => ({ body: JSON.stringify({ a: [{ client_secret: canary }] }) })],
    [
      "in JSON in JSON in a text",
      () => ({ body: JSON.stringify({ body: JSON.stringify({ password: canary }) }) }),
    ],
    ["in JSON behind other words", () => ({ it: `400: ${JSON.stringify({ password: canary })}` })],
    [
      "in escaped JSON",
      () => ({ it: `said ${JSON.stringify(JSON.stringify({ token: canary }))}` }),
    ],
    ["in what an inspection prints", () => ({ it: `options ${inspect({ password: canary })}` })],
    [
      "in the text of an error",
      () => ({ err: new Error(`SASL: {"password":${JSON.stringify(canary)}}`) }),
    ],
    ["in an address", () => ({ url: `redis://user:${encodeURIComponent(canary)}@host:6379/0` })],
    [
      "in an address as an object",
      () => ({ url: new URL(`redis://u:${encodeURIComponent(canary)}@host/0`) }),
    ],
    ["in a SASL answer", () => ({ sent: `a1 AUTHENTICATE PLAIN ${within(canary)[3]}` })],
    ["in a login", () => ({ sent: `a1 LOGIN "anna" ${JSON.stringify(canary)}` })],
    ["in a list under a name", () => ({ it: `passwords = ["x", ${JSON.stringify(canary)}]` })],
    ["where it is a list", () => ({ keys: [canary], tokens: { a: canary } })],
  ])("%s", (_where, facts) => {
    expect(leaks(logged(facts()))).toBe(false);
  });

  test.each([
    ["of Slack", `xoxb-1234-${token}`],
    ["of Microsoft", `eyJhbGciOiJIUzI1NiJ9.eyJjYW5hcnkiOjEyfQ.${token}`],
    ["in a header", `Authorization: Basic ${Buffer.from(token).toString("base64")}`],
    ["in a query", `https://a.example/x?access_token=${token}&b=1`],
    ["in a connection string", `host=db user=godwit password=${token} dbname=godwit`],
    ["in a variable", `MICROSOFT_APP_PASSWORD=${token}`],
    ["in a cookie", `Cookie: a=1; sid=${token}; b=2`],
    ["in XML", `<t:password>${token}</t:password>`],
  ])("by its form: %s", (_what, text) => {
    const line = logged({ text, err: new Error(text) });
    expect(within(token).filter((form) => line.includes(form))).toEqual([]);
  });

  test.each(
    within(held.reveal())
      .slice(0, 3)
      .map((form, at) => [at, form] as const),
  )("that this process has held, in form %i, wherever it stands", (_at, form) => {
    const err = new Error(`refused: ${form}`, { cause: { said: [form] } });
    expect(leaks(logged({ plain: form, [form]: 1, err }), held.reveal())).toBe(false);
    // Cut in two, or folded, it would not be found any more.
    const long = `${"x".repeat(1_990)}${form}`;
    expect(logged({ long })).not.toContain(form.slice(0, 6));
    expect(redactText(`a  ${form}\nb`)).toBe("a [secret] b");
  });

  test("that this process has held, within a SASL answer", () => {
    expect(leaks(logged({ sent: within(held.reveal())[3] }), held.reveal())).toBe(false);
  });

  test("that is the password of the database's or the queue's address", () => {
    hidePassword("postgres://godwit:data%2Fbase-4711@db.example/godwit");
    hidePassword("sqlite:./godwit.db");
    hidePassword("no address");
    for (const form of ["data%2Fbase-4711", "data/base-4711"]) {
      expect(logged({ said: `it was ${form}` })).toContain("it was [secret]");
    }
  });

  test.each([
    [
      "postgres://godwit:first-4712@second-4712@db/godwit",
      "postgres://db/godwit",
      "first-4712@second-4712",
    ],
    ["postgres://db/godwit?user=me&password=asked-4713%40", "postgres://db/godwit", "asked-4713@"],
    ["rediss://:queue-4714@h:6379/2", "rediss://h:6379/2", "queue-4714"],
    ["postgres://godwit:odd^4715@db/d@b?sslmode=require", "postgres://db/d@b", "odd%5E4715"],
    ["postgres://godwit:sl/ash-4716@db/godwit", "postgres://", "sl/ash-4716"],
    ["postgres://godwit@db/godwit", "postgres://db/godwit", null],
    ["sqlite:./a@b.db", "sqlite:./a@b.db", null],
  ])("wherever it stands in an address, which is shown without: %s", (address, shown, password) => {
    expect(hidePassword(address)).toBe(shown);
    const line = logged({ of: address }) + logged({ said: `it was ${password}` });
    expect(line).not.toMatch(/471[2-6]/);
    expect(line.includes("it was [secret]")).toBe(password !== null);
    expect(logged({ said: "this is godwit" }), "a user is no secret").toContain("godwit");
  });

  test("a log without all this shows what is nested, and so would this search", () => {
    const plain: pino.LoggerOptions = {
      redact: ["password", "*.password", "*.*.password", "err.config.headers.Authorization"],
      serializers: { err: pino.stdSerializers.err },
    };
    expect(leaks(logged({ it: deep(12, { password: canary }) }, plain))).toBe(true);
    expect(leaks(logged({ err: new Error("a", { cause: 1 }), all: [axios()] }, plain))).toBe(true);
    expect(leaks(logged({ err: axios() }, plain))).toBe(true);
    expect(leaks(logged({ it: Buffer.from(canary).toString("base64") }, plain))).toBe(true);
  });
});

describe("a log line keeps what helps", () => {
  test("an error's type, message, code, stack and causes", () => {
    const inner = Object.assign(new TypeError("no route"), { code: "EHOSTUNREACH", errno: -113 });
    const line = JSON.parse(logged({ run: 7, pass: 3, err: new Error("lost", { cause: inner }) }));

    expect(line).toMatchObject({
      level: "error",
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
      msg: "something failed",
      run: 7,
      pass: 3,
      err: {
        type: "Error",
        message: "lost",
        stack: expect.stringMatching(/^Error: lost\n {4}at /),
        cause: { type: "TypeError", message: "no route", code: "EHOSTUNREACH", errno: -113 },
      },
    });
  });

  test("words of mail servers that only look like a secret", () => {
    const said = 'AUTHENTICATE failed: password authentication failed for user "m"';
    expect(redactText(said)).toBe(said);
    expect(redactText("Basic authentication is disabled")).toBe("Basic authentication is disabled");
    expect(redactText("imap://anna@old.example:143/INBOX")).toBe(
      "imap://anna@old.example:143/INBOX",
    );
  });

  test("whether there is a password at all", () => {
    expect(redact({ password: null, token: "", secretPerson: true, passes: 3 })).toEqual({
      password: null,
      token: "",
      secretPerson: true,
      passes: 3,
    });
  });
});

describe("a log line is bounded and never fails", () => {
  test("cycles, depth, numbers of values and long texts are cut", () => {
    const self: Record<string, unknown> = { name: "a" };
    self.self = self;
    const loop = new Error("loop");
    loop.cause = loop;
    const wide = Object.fromEntries(Array.from({ length: 100_000 }, (_, n) => [`k${n}`, { n }]));
    const facts = {
      self,
      loop,
      wide,
      list: Array.from({ length: 100_000 }, () => [wide]),
      deep: deep(10_000, 1),
      long: "x".repeat(10_000_000),
      map: new Map([[self, self]]),
    };
    const began = performance.now();
    const line = logged(facts);
    expect(performance.now() - began).toBeLessThan(10_000);
    expect(line.length).toBeLessThan(60_000);
    expect(JSON.parse(line)).toMatchObject({
      self: { name: "a", self: "[circular]" },
      loop: { cause: "[circular]" },
    });
  });

  test("getters that throw, broken objects and odd values", () => {
    const error = new Error("x");
    Object.defineProperty(error, "message", {
      get: () => {
        throw new Error("no");
      },
    });
    const ran: string[] = [];
    const facts = {
      error,
      revoked: (() => {
        const it = Proxy.revocable({}, {});
        it.revoke();
        return it.proxy;
      })(),
      date: Object.create(Date.prototype),
      noDate: new Date(Number.NaN),
      getter: {
        get it() {
          ran.push("getter");
          return 1;
        },
      },
      list: Object.defineProperty([1], 0, { get: () => ran.push("list") }),
      json: {
        toJSON() {
          ran.push("toJSON");
        },
      },
      bare: Object.create(null, { a: { value: 1, enumerable: true } }),
      odd: [10n, Symbol("s"), () => 1, undefined, null, /x/, new WeakMap(), Promise.resolve()],
      proto: JSON.parse('{"__proto__": {"polluted": 1}}'),
    };
    const line = JSON.parse(logged(facts));
    expect(ran).toEqual([]);
    expect(line).toMatchObject({ error: { type: "Error" }, revoked: "[proxy]", bare: { a: 1 } });
    expect({}).not.toHaveProperty("polluted");
    expect(redact(undefined)).toBeUndefined();
  });

  test("what a server says moves nothing in a terminal and makes no line of its own", () => {
    const line = logged({ said: 'a\u001b[31m\u202eb\r\n{"level":"info"}', "k\u0000ey": 1 });
    expect(line.trim().split("\n")).toHaveLength(1);
    expect(line).not.toMatch(/\\u001b|\u202e|\\r|\\u0000/);
  });

  test("what is logged stays as it was", () => {
    const facts = { err: axios(), list: [{ password: canary }] };
    logged(facts);
    expect(facts.list[0]?.password).toBe(canary);
    expect(facts.err.config.headers.Authorization).toContain(canary);
  });
});
