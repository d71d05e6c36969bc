import { once } from "node:events";
import { createServer } from "node:net";
import { expect, test } from "vitest";
import { TransientError } from "../../../engine/domain/errors.ts";
import { imapProvider } from "../../../engine/providers/imap/provider.ts";
import { addressAt } from "./addresses.ts";

test("a server that does not answer its door is named with host and port, and is tried again", async () => {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const at = server.address();
  const port = typeof at === "object" && at !== null ? at.port : 0;
  server.close();
  await once(server, "close");

  const opening = imapProvider().source(addressAt({ host: "127.0.0.1", port }, "anna"));

  const error: unknown = await opening.catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(TransientError);
  expect(error).toMatchObject({ message: `old (127.0.0.1:${port}) cannot be reached.` });
});

test.each(["EMFILE", "ENFILE", "ENOBUFS"])(
  "a machine that can open no more connections is a matter of time: %s",
  async (code) => {
    const outer = async () => {
      throw Object.assign(new Error(`connect ${code}`), { code });
    };
    const address = addressAt({ host: "127.0.0.1", port: 143 }, "anna", { inward: false });

    const error: unknown = await imapProvider({ outer })
      .source(address)
      .catch((thrown: unknown) => thrown);

    expect(error).toBeInstanceOf(TransientError);
    expect(String(error)).toContain(`this machine has no room for another connection (${code})`);
  },
);
