import { describe, expect, test } from "vitest";
import { readConfig } from "../../bot/config.ts";
import { checkBoard } from "../../bot/queue-board/address.ts";

describe("the servers that are asked for a domain's MX", () => {
  test("are the usual ones unless they are named", () => {
    expect(readConfig({ GODWIT_RESOLVERS: "" }).dns).toEqual({
      resolvers: null,
      authoritative: null,
    });
    const named = {
      GODWIT_RESOLVERS: "192.0.2.1, [2001:db8::1]:5353, 192.0.2.1",
      GODWIT_AUTHORITATIVE: "::1",
    };
    expect(readConfig(named).dns).toEqual({
      resolvers: [
        { address: "192.0.2.1", port: 53 },
        { address: "2001:db8::1", port: 5353 },
      ],
      authoritative: [{ address: "::1", port: 53 }],
    });
  });

  test.each([
    ["GODWIT_RESOLVERS", "dns.hunter22.example"],
    ["GODWIT_RESOLVERS", "192.0.2.1,hunter22"],
    ["GODWIT_AUTHORITATIVE", "192.0.2.1:hunter22"],
    ["GODWIT_AUTHORITATIVE", ","],
    ["GODWIT_AUTHORITATIVE", Array.from({ length: 17 }, (_, n) => `192.0.2.${n}`).join()],
  ])("that cannot be read are refused by the name of the variable: %s=%s", (name, value) => {
    const read = () => readConfig({ [name]: value });
    expect(read).toThrow(
      new RegExp(`${name} must be .*192\\.0\\.2\\.1:5353.*See \\.env\\.example`),
    );
    expect(read, "the value is not repeated").not.toThrow(/hunter22/);
  });
});

describe("the queue between processes", () => {
  const postgres = "postgres://godwit@127.0.0.1/godwit";

  test("is none unless it is named", () => {
    expect(readConfig({ QUEUE_URL: "" }).queueUrl).toBeNull();
    const named = [
      "redis://:secret@h:6379/2",
      "redis://h/",
      "redis://h/1?family=6",
      "rediss://u:p@h",
    ];
    for (const url of [...named, postgres]) {
      expect(readConfig({ DATABASE_URL: postgres, QUEUE_URL: url }).queueUrl).toBe(url);
    }
  });

  test.each([
    "hunter22",
    "http://u:hunter22@h",
    "redis://h:hunter22",
    "redis://u:%hunter22@h",
    "redis:hunter22",
    "redis://h/hunter22",
    "rediss://h:6379/hunter22?family=6",
    "redis://h/0/hunter22",
    "redis://h?db=hunter22",
    "redis://u:hunter/22@h",
    "sqlite:./hunter22.db",
  ])("that cannot be read is refused by the name of the variable: %s", (url) => {
    const read = () => readConfig({ DATABASE_URL: postgres, QUEUE_URL: url });
    expect(read).toThrow(/QUEUE_URL must be .*redis:\/\/.*See \.env\.example/);
    expect(read, "the value is not repeated").not.toThrow(/hunter22/);
  });

  test("is refused where the database is a file of one machine", () => {
    const read = () => readConfig({ QUEUE_URL: "redis://h" });
    expect(read).toThrow(/QUEUE_URL is set.*SQLite.*Set DATABASE_URL.*or unset QUEUE_URL/);
  });
});

describe("where Godwit is watched", () => {
  test("is nowhere unless it is named", () => {
    expect(readConfig({ GODWIT_HEALTH_PORT: "" }).healthPort).toBeNull();
    expect(readConfig({ GODWIT_HEALTH_PORT: "9464" }).healthPort).toBe(9464);
  });

  test.each(["0", "65536", "hunter22"])("is a port, and %s is refused", (value) => {
    const read = () => readConfig({ GODWIT_HEALTH_PORT: value });
    expect(read).toThrow(/GODWIT_HEALTH_PORT must be a port.*See \.env\.example/);
    expect(read, "the value is not repeated").not.toThrow(/hunter22/);
  });

  test.each([
    { GODWIT_HEALTH_PORT: "4980" },
    { GODWIT_HEALTH_PORT: "9464", GODWIT_PORT: "9464" },
    { GODWIT_HEALTH_PORT: "3978" },
    { GODWIT_HEALTH_PORT: "9464", TEAMS_PORT: "9464" },
  ])("is refused on the port of something else: %j", (env) => {
    expect(() => readConfig(env)).toThrow(/GODWIT_HEALTH_PORT is the port of something else/);
  });
});

describe("the queue's board", () => {
  const shared = { DATABASE_URL: "postgres://godwit@127.0.0.1/godwit", QUEUE_URL: "redis://h" };

  test("is nowhere unless it is named", () => {
    expect(readConfig({ GODWIT_BOARD_PORT: "", GODWIT_BOARD_URL: "" }).board).toBeNull();
    const named = { ...shared, GODWIT_BOARD_PORT: "4990" };
    expect(readConfig(named).board).toEqual({ port: 4990, url: null });
    for (const url of ["https://queue.example", "https://Queue.example/"]) {
      const outside = { ...named, GODWIT_HOST: "0.0.0.0", GODWIT_BOARD_URL: url };
      expect(readConfig(outside).board).toEqual({ port: 4990, url: "https://queue.example" });
    }
  });

  test.each([
    "hunter22",
    "queue.hunter22.example",
    "ftp://hunter22.example",
    "https://u:hunter22@queue.example",
    "https://queue.example/hunter22",
    "https://queue.example/?hunter22",
  ])("is opened by an address of its own, and %s is refused", (url) => {
    const read = () => readConfig({ ...shared, GODWIT_BOARD_PORT: "4990", GODWIT_BOARD_URL: url });
    expect(read).toThrow(/GODWIT_BOARD_URL must be .*without a path.*See \.env\.example/);
    expect(read, "the value is not repeated").not.toThrow(/hunter22/);
  });

  test.each([
    [{ GODWIT_BOARD_PORT: "4980" }, /GODWIT_BOARD_PORT is the port of something else/],
    [{ GODWIT_BOARD_PORT: "3978" }, /GODWIT_BOARD_PORT is the port of something else/],
    [
      { GODWIT_BOARD_PORT: "9464", GODWIT_HEALTH_PORT: "9464" },
      /GODWIT_BOARD_PORT is the port of something else/,
    ],
    [{ GODWIT_BOARD_URL: "https://queue.example" }, /GODWIT_BOARD_PORT is not.*Set both/],
    [{ GODWIT_BOARD_PORT: "4990", QUEUE_URL: "" }, /QUEUE_URL is not.*unset GODWIT_BOARD_PORT/],
    [{ GODWIT_BOARD_PORT: "4990", GODWIT_HOST: "::" }, /Set GODWIT_BOARD_URL to the address/],
  ])("is refused where it cannot be: %j", (env, why) => {
    expect(() => readConfig({ ...shared, ...env })).toThrow(why);
  });

  test("is told by `doctor`, which complains where others could read along", () => {
    const at = (url: string | null, host = "127.0.0.1") => checkBoard({ port: 4990, url }, host, 1);
    expect(at(null)).toBe("http://127.0.0.1:4990, to look at, for owners");
    expect(at(null, "::1")).toBe("http://[::1]:4990, to look at, for owners");
    expect(at("https://queue.example", "10.0.0.1")).toMatch(/^https:\/\/queue\.example, /);
    expect(() => at("http://queue.example")).toThrow(/not TLS.*GODWIT_BOARD_URL/);
    expect(() => at(null, "10.0.0.1")).toThrow(/^http:\/\/10\.0\.0\.1:4990 is not TLS/);
  });
});
