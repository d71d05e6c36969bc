import type { Socket } from "node:net";
import { setInterval as every } from "node:timers/promises";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { TransientError } from "../../../engine/domain/errors.ts";
import type { Item } from "../../../engine/domain/item.ts";
import type { ImapOptions } from "../../../engine/providers/imap/connect.ts";
import { natural, sized, usualLimits } from "../../../engine/providers/imap/limits.ts";
import { imapProvider } from "../../../engine/providers/imap/provider.ts";
import { type Excess, newScreen } from "../../../engine/providers/imap/screen.ts";
import { startHostile } from "../../servers/hostile-imap.ts";
import { startProxy } from "../../servers/proxy.ts";
import { addressAt } from "./addresses.ts";

async function drip(socket: Socket, text: string): Promise<void> {
  for await (const _ of every(20)) {
    if (socket.destroyed) return;
    socket.write(text);
  }
}

describe("a server that does not let us in", () => {
  const quick: ImapOptions = { connectMs: 400, silenceMs: 400, limits: { loginMs: 600 } };
  test.each([
    ["says nothing", "none", () => {}],
    ["never ends its greeting", "none", (socket) => void drip(socket, "* OK ")],
    ["never ends its TLS handshake", "tls", () => {}],
    ["drips its handshake", "tls", (socket) => void drip(socket, "\x16\x03")],
    [
      "greets, and drips its capabilities",
      "none",
      (socket) => {
        socket.write("* OK ready\r\n");
        void drip(socket, "* CAPABILITY ");
      },
    ],
  ] satisfies [string, "none" | "tls", (socket: Socket) => void][])(
    "is given up in time: %s",
    async (_, security, greet) => {
      await using server = await startHostile({ greet });
      const began = performance.now();
      const refused = imapProvider(quick).source(addressAt(server, "anna", { security }));
      await expect(refused).rejects.toBeInstanceOf(TransientError);
      expect(performance.now() - began).toBeLessThan(5000);
    },
  );

  test("nothing secret is sent to one that floods before the login", async () => {
    const heard: Buffer[] = [];
    await using server = await startHostile({
      greet(socket) {
        socket.on("data", (some) => heard.push(some));
        socket.write(`* OK ${"x".repeat(2_000_000)}\r\n`);
      },
    });
    const refused = imapProvider(quick).source(addressAt(server, "anna"));
    await expect(refused).rejects.toThrow("more than is taken from a server");
    expect(Buffer.concat(heard).toString()).not.toContain("AUTHENTICATE");
  });
});

describe("a target that asks for bytes", () => {
  const letter = Buffer.from("Subject: x\r\n\r\nA1 DELETE INBOX\r\n");
  async function* one(): AsyncGenerator<Item> {
    yield {
      uid: 1,
      createdAt: Date.UTC(2026, 10, 1),
      flags: [],
      modseq: null,
      identity: null,
      size: letter.length,
      body: (async function* () {
        yield letter;
      })(),
    };
  }

  test("twice gets them once: the second would be taken for commands", async () => {
    const again = { "anna.new": goesOn };
    await using server = await startHostile({ misdeeds: again });
    await using target = await imapProvider().target(addressAt(server, "anna@new"));
    const into = await target.open("INBOX");
    for await (const receipt of into.add(one())) expect(receipt.outcome).toBe("added");
    await into.uids();
    expect(server.commands.filter((said) => /Subject|DELETE/.test(said))).toEqual([]);
    expect(server.letters("anna.new", "INBOX")).toHaveLength(1);
  });

  test("and says it has stored them before it took any is not believed", async () => {
    await using server = await startHostile();
    const rules = [{ on: /^APPEND/i, do: "answer" as const, with: "OK [APPENDUID 7 1] stored" }];
    await using proxy = await startProxy(server, { rules });
    await using target = await imapProvider().target(addressAt(proxy, "anna@new"));
    const into = await target.open("INBOX");
    await expect(into.add(one())[Symbol.asyncIterator]().next()).rejects.toBeInstanceOf(
      TransientError,
    );
  });

  test("a UID that another message has is no receipt for this one", async () => {
    const same = {
      "anna.new": ({ command, tag, send }: Parameters<typeof goesOn>[0]) => {
        if (!command.startsWith("APPEND")) return false;
        return send(`${tag} OK [APPENDUID 7 5] done\r\n`).then(() => true);
      },
    };
    await using server = await startHostile({ misdeeds: same });
    await using target = await imapProvider().target(addressAt(server, "anna@new"));
    const uids: (number | null)[] = [];
    for (let n = 0; n < 2; n += 1) {
      const into = await target.open("INBOX");
      for await (const receipt of into.add(one())) {
        uids.push(receipt.outcome === "added" ? receipt.targetUid : -1);
      }
    }
    expect(uids).toEqual([5, null]);
  });
});

const goesOn = async ({
  command,
  send,
}: {
  command: string;
  tag: string;
  send(text: string): Promise<void>;
}) => {
  if (command.startsWith("APPEND")) await send("+ go on\r\n");
  return false;
};

describe("the screen before the parser", () => {
  const limits = { ...usualLimits, line: 200, tokens: 60, literals: 3, literal: 100, answers: 4 };
  /** What it says of these bytes, however they are cut. */
  function look(text: string, cuts: number[]): { excess: string | null; ended: number } {
    const screen = newScreen(limits);
    const bytes = Buffer.from(text, "latin1");
    const places = [0, ...cuts.map((cut) => cut % (bytes.length + 1)), bytes.length];
    places.sort((a, b) => a - b);
    try {
      for (const [n, from] of places.entries()) screen.look(bytes.subarray(from, places[n + 1]));
      return { excess: null, ended: screen.ended() };
    } catch (error) {
      return { excess: (error as Excess).message, ended: screen.ended() };
    }
  }

  test("says the same however the network cuts what comes", () => {
    const piece = fc.constantFrom(
      "* 1 FETCH (",
      "{5}\r\n",
      "{0}\r\n",
      "{200}\r\n",
      "\r\n",
      "a b ",
      "x".repeat(90),
      "(((",
      "}",
      "{",
      "\r",
      "{9",
    );
    fc.assert(
      fc.property(
        fc.array(piece, { maxLength: 30 }),
        fc.array(fc.nat(), { maxLength: 20 }),
        (pieces, cuts) => {
          expect(look(pieces.join(""), cuts)).toEqual(look(pieces.join(""), []));
        },
      ),
      { numRuns: 300 },
    );
  });

  test.each([
    ["* 1 FETCH (BODY[] {101}\r\n", /101 bytes at once/],
    ["* 1 FETCH (BODY[] {99999999999999999999999999}\r\n", /bytes at once/],
    [`* ${"x".repeat(200)}`, /line of more than 200 bytes/],
    [`* ${"( ".repeat(40)}\r\n`, /more than 60 words/],
    ["* LIST {0}\r\n{0}\r\n{0}\r\n{0}\r\n", /more than 3 texts/],
    ["* 1 EXISTS\r\n".repeat(5), /more than 4 answers/],
  ])("does not let pass %j", (text, words) => {
    expect(look(text, []).excess).toMatch(words);
  });

  test("lets pass what is as large as is taken, and what stands in a literal", () => {
    expect(look(`* 1 FETCH (BODY[] {100}\r\n${"\r\n( ".repeat(25)} UID 1)\r\n`, [])).toEqual({
      excess: null,
      ended: 1,
    });
  });
});

test("numbers that cannot be are none", () => {
  expect(
    ["0", "1", "4294967295", "4294967296", "-1", "1e3", "x", "", null].map((one) =>
      natural(one, 1),
    ),
  ).toEqual([null, 1, 4294967295, ...Array(6).fill(null)]);
  expect([sized("1099511627776"), sized("1099511627777"), sized("-5")]).toEqual([
    2 ** 40,
    null,
    null,
  ]);
});
