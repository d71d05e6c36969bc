import { describe, expect, test } from "vitest";
import { commands } from "../../bot/commands/table.ts";
import { readUrl } from "../../bot/host.ts";
import { readLimit } from "../../bot/limit.ts";
import { parse, tokenise } from "../../bot/parse.ts";

const words = (text: string) => tokenise(text).map((token) => token.text);

describe("what chat clients do while people type is undone", () => {
  test.each([
    ["delta —yes", ["delta", "--yes"]],
    ["delta –yes", ["delta", "--yes"]],
    ["licenses add 2 --note “order 4711”", ["licenses", "add", "2", "--note", "order 4711"]],
    ["add <mailto:a@b.example|a@b.example> c@d", ["add", "a@b.example", "c@d"]],
    ["add <mailto:a@b.example>", ["add", "a@b.example"]],
    ["endpoint new x <http://a.example|a.example>", ["endpoint", "new", "x", "a.example"]],
    ["endpoint new x <imaps://a.example>", ["endpoint", "new", "x", "imaps://a.example"]],
    ["licenses add 2 --note A&amp;B", ["licenses", "add", "2", "--note", "A&B"]],
    ["  delta \u00a0 --yes\n", ["delta", "--yes"]],
    ["add anna\u200b@old.example", ["add", "anna@old.example"]],
    ["import 'my list.csv'", ["import", "my list.csv"]],
    ["licenses add 2 --note 'it's here'", ["licenses", "add", "2", "--note", "it's here"]],
    ['licenses add 2 --note="order 4711"', ["licenses", "add", "2", "--note=order 4711"]],
    ["project set folders.map Anna's=A", ["project", "set", "folders.map", "Anna's=A"]],
    ['import C:\\lists\\"my list".csv', ["import", "C:\\lists\\my list.csv"]],
  ])("%s", (text, expected) => {
    expect(words(text)).toEqual(expected);
  });

  test.each([
    "/migrate delta",
    "@migrate delta",
    "migrate delta",
    "Migrate DELTA",
    "<@U024BE7LH> delta",
    "Delta",
  ])("%s means delta", (text) => {
    expect(parse(text, commands).command.name).toBe("delta");
  });

  test("nothing at all means help", () => {
    expect(parse("/migrate", commands).command.name).toBe("help");
  });

  test("the longest name is meant, and what follows are its words", () => {
    const { command, words } = parse('Licenses ADD 20 --note "order 4711"', commands);
    expect(command.name).toBe("licenses add");
    expect(words.args).toEqual(["20"]);
    expect(words.options.get("note")).toBe("order 4711");
  });

  test("what stands in quotes is no option", () => {
    expect(parse('add "-a@old.example" b@new.example', commands).words.args).toEqual([
      "-a@old.example",
      "b@new.example",
    ]);
  });
});

describe("a limit", () => {
  test.each([
    ["90d", { days: 90 }],
    ["36500D", { days: 36_500 }],
    ["2026-08-01", { at: Date.UTC(2026, 6, 31, 22) }],
    ["2026-08-01 18:00", { at: Date.UTC(2026, 7, 1, 16) }],
    ["2026-12-01T08:30", { at: Date.UTC(2026, 11, 1, 7, 30) }],
    ["2026-10-25T02:30+01:00", { at: Date.UTC(2026, 9, 25, 1, 30) }],
    ["2026-10-25T01:30Z", { at: Date.UTC(2026, 9, 25, 1, 30) }],
  ])("%s is read in the project's zone", (text, expected) => {
    expect(readLimit(text, "Europe/Berlin")).toEqual(expected);
  });
});

describe("the address of a mail server", () => {
  test.each([
    [
      "imap://mail.old.example",
      false,
      { host: "mail.old.example", port: 143, security: "starttls" },
    ],
    ["IMAPS://Mail.Old.Example/", false, { host: "mail.old.example", port: 993, security: "tls" }],
    ["imaps://mail.old.example:80", false, { host: "mail.old.example", port: 80, security: "tls" }],
    ["imap://127.0.0.1:11143", true, { host: "127.0.0.1", port: 11_143, security: "none" }],
    ["imap://[::1]:143", true, { host: "::1", port: 143, security: "none" }],
    ["imap://localhost", true, { host: "localhost", port: 143, security: "none" }],
    [
      "imaps://bücher.example",
      false,
      { host: "xn--bcher-kva.example", port: 993, security: "tls" },
    ],
    ["imap://2130706433", true, { host: "127.0.0.1", port: 143, security: "none" }],
    [
      "imap://mail.old.example.",
      false,
      { host: "mail.old.example", port: 143, security: "starttls" },
    ],
  ])("%s", (url, insecure, expected) => {
    expect(readUrl(url, insecure)).toEqual(expected);
  });
});
