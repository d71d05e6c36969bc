import { expect, test } from "vitest";
import { FencedError } from "../../../engine/domain/errors.ts";
import { imapProvider } from "../../../engine/providers/imap/provider.ts";
import { addAll, item, listed } from "../../contracts/provider.ts";
import {
  type HostileOptions,
  type HostileServer,
  letterOf,
  startHostile,
} from "../../servers/hostile-imap.ts";
import { addressAt } from "./addresses.ts";

// What waits behind a NOOP that keeps a connection alive and is answered late.

/** A server that owes the answer to a NOOP from `hold` until `answer`. */
async function owing(options: HostileOptions = {}) {
  const [said, answered] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  let holds = false;
  const server: HostileServer = await startHostile({
    ...options,
    misdeeds: {
      anna: async ({ command }) => {
        if (!holds || !command.startsWith("NOOP")) return false;
        said.resolve();
        await answered.promise;
        return false;
      },
    },
  });
  return {
    ...server,
    /** Ends when the NOOP was said. */
    hold() {
      holds = true;
      return said.promise;
    },
    answer: answered.resolve,
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}

test.each(["LITERAL+", "LITERAL-", ""])(
  "a letter that waits behind it when the lock is lost is not sent (%s)",
  async (capabilities) => {
    await using server = await owing({ capabilities });
    await using target = await imapProvider({ keepAliveMs: 10 }).target(addressAt(server, "anna"));
    const into = await target.open("INBOX");
    const before = server.letters("anna", "INBOX").length;
    await server.hold();
    const asked = Promise.withResolvers<void>();
    let lost = false;
    const mayLeave = () => {
      asked.resolve();
      if (lost) throw new FencedError("The lock on the entry is lost.");
    };
    const adding = addAll(into, [{ ...item(1, letterOf("anna", "INBOX", 9)), mayLeave }]);
    adding.catch(() => {});
    await asked.promise;
    lost = true;
    server.answer();

    await expect(adding).rejects.toBeInstanceOf(FencedError);

    expect(server.letters("anna", "INBOX")).toHaveLength(before);
  },
);

test("a listing that begins meanwhile may have as many answers as the folder has messages", async () => {
  await using server = await owing();
  const letters = server.letters("anna", "INBOX");
  for (let uid = letters.length + 1; uid <= 60; uid += 1) {
    letters.push({ uid, body: letterOf("anna", "INBOX", uid), flags: "" });
  }
  const provider = imapProvider({ keepAliveMs: 10, limits: { answers: 10 } });
  await using source = await provider.source(addressAt(server, "anna"));
  const open = await source.open("INBOX");
  await server.hold();
  const listing = listed(open.list());
  server.answer();

  expect(await listing).toHaveLength(60);
});
