import { once } from "node:events";
import { createServer } from "node:net";
import { describe, expect, test } from "vitest";
import { UserError } from "../../../engine/domain/errors.ts";
import { outerAddress } from "../../../engine/providers/imap/outer.ts";
import { imapProvider } from "../../../engine/providers/imap/provider.ts";
import { addressAt } from "./addresses.ts";

describe("a host named from afar", () => {
  test.each([
    ["127.0.0.1"],
    ["10.0.0.7"],
    ["169.254.169.254"],
    ["::1"],
    ["::ffff:10.0.0.7"],
    ["64:ff9b::a00:7"],
    ["fd00::7"],
    // One honest address does not make up for one inside.
    ["203.0.113.7", "10.0.0.7"],
  ])("that resolves to %s is not connected to", async (...addresses) => {
    const opening = outerAddress("mail.example", "old", async () => addresses);
    await expect(opening).rejects.toThrow(UserError);
    await expect(opening).rejects.toThrow(
      /private network.*`endpoint set old .*GODWIT_ENDPOINTS_ALLOWED/,
    );
  });

  test("is connected to at the address that was looked at", async () => {
    const answers = [["203.0.113.7"], ["127.0.0.1"]];
    expect(await outerAddress("mail.example", "old", async () => answers.shift() ?? [])).toBe(
      "203.0.113.7",
    );
    expect(answers).toHaveLength(1);
  });

  test("never reaches a listener inside, which one named at the machine does", async () => {
    let reached = 0;
    const canary = createServer((socket) => {
      reached += 1;
      socket.end("* BYE\r\n");
    }).listen(0, "127.0.0.1");
    await once(canary, "listening");
    const at = canary.address();
    const port = typeof at === "object" && at !== null ? at.port : 0;
    const open = (inward: boolean) =>
      imapProvider().source(addressAt({ host: "localhost", port }, "anna", { inward }));

    await expect(open(false)).rejects.toThrow(/private network/);
    expect(reached).toBe(0);
    await expect(open(true)).rejects.toThrow();
    expect(reached).toBe(1);
    canary.close();
  });
});
