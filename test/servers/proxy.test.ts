import { afterAll, beforeAll, expect, test } from "vitest";
import { type Dovecot, startDovecot } from "./dovecot.ts";
import { openClient } from "./imap-client.ts";
import { type ProxyOptions, startProxy } from "./proxy.ts";
import type { ProxyRule } from "./proxy-rules.ts";

let server: Dovecot;
beforeAll(async () => {
  server = await startDovecot();
});
afterAll(() => server[Symbol.asyncDispose]());

const mail = { body: `Subject: hello\r\n\r\n${"x".repeat(1000)}\r\n` };

async function appendThrough(user: string, options: ProxyOptions) {
  await using proxy = await startProxy(server, options);
  const client = await openClient({ ...proxy, user, password: "pass" });
  const answers: string[] = [];
  try {
    for (let n = 1; n <= 3; n += 1) {
      const { status, text } = await client.append("INBOX", mail);
      answers.push(`${status} ${text}`);
    }
    await client[Symbol.asyncDispose]();
  } catch (error) {
    answers.push(String(error));
  }
  await using direct = await server.login(user);
  return { answers, stored: (await direct.dump()).get("INBOX")?.messages.length, proxy };
}

const lost = "Error: the connection ended";

test("passes everything on and remembers the commands", async () => {
  const { answers, stored, proxy } = await appendThrough("plain", {});
  expect(answers).toHaveLength(3);
  expect(stored).toBe(3);
  expect(proxy.commands).toEqual([
    'LOGIN "plain" "pass"',
    'APPEND "INBOX"',
    'APPEND "INBOX"',
    'APPEND "INBOX"',
    "LOGOUT",
  ]);
});

test("cuts before a command, in its literal, and after it was carried out", async () => {
  const on = /^APPEND /;
  const before = await appendThrough("before", { rules: [{ on, nth: 2, do: "cut before" }] });
  const within = await appendThrough("within", {
    rules: [{ on, nth: 2, do: "cut in literal", after: 500 }],
  });
  const after = await appendThrough("after", { rules: [{ on, nth: 2, do: "cut before answer" }] });

  for (const { answers } of [before, within, after]) expect(answers.slice(1)).toEqual([lost]);
  expect([before.stored, within.stored, after.stored]).toEqual([1, 1, 2]);
});

test("answers in the server's place and changes what the server says", async () => {
  const { answers, stored } = await appendThrough("answers", {
    rules: [{ on: /^APPEND /, nth: 2, do: "answer", with: "NO [OVERQUOTA] full" }],
    rewrite: (line) => line.replace(/\[APPENDUID [^\]]*\] /, ""),
  });
  expect(answers[1]).toBe("NO [OVERQUOTA] full");
  expect(answers[2]).toMatch(/^OK Append completed/);
  expect(stored).toBe(2);
});

test("cuts before the greeting, in the middle of an answer and by a reset", async () => {
  const on = /^LOGIN /;
  const ends = (rule: ProxyRule) => appendThrough("ends", { rules: [rule] }).catch(String);

  expect(await ends({ on: "greeting", do: "cut before" })).toBe(lost);
  expect(await ends({ on, do: "cut in answer", after: 5 })).toBe(lost);
  expect(await ends({ on, do: "bye", with: "going down" })).toBe(lost);
  expect(await ends({ on, do: "cut before answer", reset: true })).toMatch(/ECONNRESET|ended/);
});

test("changes the answer to one command and not to the others", async () => {
  const { answers, proxy } = await appendThrough("rewrite", {
    rules: [
      {
        on: /^APPEND /,
        nth: 2,
        do: "rewrite",
        line: (line) => line.replace(/APPENDUID \d+/, "APPENDUID 77"),
      },
    ],
  });

  expect(answers.map((answer) => answer.includes("[APPENDUID 77 "))).toEqual([false, true, false]);
  expect(proxy.applied()).toBe(1);
});
