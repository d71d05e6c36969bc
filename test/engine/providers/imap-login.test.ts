import { once } from "node:events";
import { createServer } from "node:net";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { TransientError, UserError } from "../../../engine/domain/errors.ts";
import type { Address, Endpoint } from "../../../engine/domain/provider.ts";
import { Secret } from "../../../engine/domain/secret.ts";
import { imapProvider } from "../../../engine/providers/imap/provider.ts";
import { type Dovecot, startDovecot } from "../../servers/dovecot.ts";
import { type ImapProxy, startProxy } from "../../servers/proxy.ts";
import { addressAt, deliver } from "./addresses.ts";

let server: Dovecot;
beforeAll(async () => {
  server = await startDovecot({ connections: 3 });
});
afterAll(() => server[Symbol.asyncDispose]());

const provider = imapProvider({ connectMs: 5000 });

/** Logs in and answers how many messages INBOX has. */
async function count(address: Address): Promise<number> {
  await using source = await provider.source(address);
  return (await source.open("INBOX")).state.count;
}

async function refused(address: Address): Promise<Error> {
  try {
    await count(address);
  } catch (error) {
    return error as Error;
  }
  throw new Error("the login was not refused");
}

function own(address: Address, password: string): Address {
  const endpoint: Endpoint = { ...address.endpoint, login: "user" };
  return { ...address, endpoint, user: address.mailbox, password: new Secret(password) };
}

describe("who logs in", () => {
  test("a master by `user*master`, by SASL PLAIN's authzid and by a template; the user itself", async () => {
    await deliver(server, "anna", "INBOX", [{ body: "Subject: hers\r\n\r\n" }]);
    for (const masterFormat of ["star", "authzid", "{address}*{master}"]) {
      expect(await count(addressAt(server, "anna", { masterFormat }))).toBe(1);
      expect(await count(addressAt(server, "nobody", { masterFormat }))).toBe(0);
    }
    expect(await count(own(addressAt(server, "anna"), "pass"))).toBe(1);
  });

  test("authzid is not tried where the server has no SASL PLAIN: it would open the master's mailbox", async () => {
    await using proxy = await startProxy(server, {
      rewrite: (line) => line.replace(" AUTH=PLAIN", ""),
    });
    const error = await refused(addressAt(proxy, "anna", { masterFormat: "authzid" }));
    expect(error).toBeInstanceOf(UserError);
    expect(error.message).toContain("`endpoint set old --master-format star`");
    expect(saidByLogin(proxy)).toEqual([]);
  });

  test("a refused login names mailbox and endpoint and what to type, and never a password", async () => {
    const secret = "canary-4711";
    const master = addressAt(server, "anna", { masterPassword: new Secret(secret) });
    for (const address of [master, own(addressAt(server, "anna"), secret)]) {
      const error = await refused(address);
      expect(error).toBeInstanceOf(UserError);
      expect(error.message).toMatch(/^Login refused for anna at old: .*Nothing was carried\. .*`/);
      expect(`${error.message} ${error.stack} ${JSON.stringify(error)}`).not.toContain(secret);
    }
    expect((await refused(master)).message).toContain("endpoint secret old");
  });

  test("a server that repeats the password in its answer is not quoted with it", async () => {
    await using proxy = await startProxy(server, {
      rules: [{ on: /^AUTHENTICATE/i, do: "answer", with: "NO wrong: canary-4711 \u202eevil" }],
    });
    const error = await refused(own(addressAt(proxy, "anna"), "canary-4711"));
    expect(error.message).toContain("wrong: [secret]");
    expect(error.message).not.toMatch(/canary|\u202e/);
  });

  test("too many connections, a server out of order and a pause are things that pass, said by the server", async () => {
    await using one = await provider.source(addressAt(server, "busy"));
    await using two = await provider.source(addressAt(server, "busy"));
    await using three = await provider.source(addressAt(server, "busy"));
    expect([one, two, three]).toHaveLength(3);
    expect(await refused(addressAt(server, "busy"))).toMatchObject({
      name: "TransientError",
      waitingFor: "connection limit",
      server: addressAt(server, "busy").endpoint.id,
    });
    const answered = async (words: string) => {
      const rules = [{ on: /^AUTHENTICATE/i, do: "answer" as const, with: words }];
      await using proxy = await startProxy(server, { rules });
      return await refused(addressAt(proxy, "anna"));
    };
    expect(await answered("NO [UNAVAILABLE] Temporary authentication failure")).toMatchObject({
      waitingFor: "server unavailable",
      server: addressAt(server, "anna").endpoint.id,
    });
    expect(await answered("NO Too many simultaneous connections. (Failure)")).toMatchObject({
      waitingFor: "connection limit",
    });
    expect(
      await answered("BAD Request is throttled. Suggested Backoff Time: 92415 milliseconds"),
    ).toMatchObject({
      waitingFor: "throttled",
      retryAfterMs: 92415,
      server: addressAt(server, "anna").endpoint.id,
    });
  });

  test("a login without any password says how to give one", async () => {
    const nobody = { ...own(addressAt(server, "anna"), ""), password: null };
    expect((await refused(nobody)).message).toContain("There is no password for anna at old");
    const masterless = addressAt(server, "anna", { masterPassword: null });
    expect((await refused(masterless)).message).toContain("endpoint secret old");
  });
});

describe("whom we talk to", () => {
  const tls = (more: Partial<Endpoint>): Address =>
    addressAt({ host: server.host, port: server.tlsPort }, "anna", { security: "tls", ...more });
  const starttls = (more: Partial<Endpoint>): Address =>
    addressAt(server, "anna", { security: "starttls", ...more });

  test("TLS and STARTTLS with the endpoint's own authority or pinned certificate", async () => {
    const { ca, fingerprint } = server.certificate;
    for (const address of [tls, starttls]) {
      expect(await count(address({ ca }))).toBe(1);
      expect(await count(address({ fingerprint }))).toBe(1);
      expect(await count(address({ fingerprint: fingerprint.toLowerCase() }))).toBe(1);
    }
  });

  test("an authority nobody knows, another pinned certificate: nothing is sent", async () => {
    const wrong = server.certificate.fingerprint.replace(/^../, (pair) =>
      pair === "00" ? "01" : "00",
    );
    await using proxy = await startProxy(server);
    for (const address of [tls({}), starttls({}), starttls({ port: proxy.port })]) {
      const error = await refused(address);
      expect(error).toBeInstanceOf(UserError);
      expect(error.message).toMatch(
        /not trusted.*`endpoint set old --ca <file>`.*`endpoint set old --fingerprint/,
      );
    }
    for (const address of [tls, starttls]) {
      const error = await refused(address({ fingerprint: wrong }));
      expect(error).toBeInstanceOf(UserError);
      expect(error.message).toContain(`it showed ${server.certificate.fingerprint}`);
      expect(error.message).toContain("`endpoint set old --fingerprint <sha256>`");
    }
    expect(saidByLogin(proxy)).toEqual([]);
  });

  test("an expired certificate and one for another name are refused, and may be pinned", async () => {
    const cases = [
      { options: { expired: true }, words: "it has expired" },
      { options: { names: ["DNS:mail.other.example"] }, words: "it belongs to another name" },
    ];
    for (const { options, words } of cases) {
      await using other = await startDovecot({ certificate: options });
      const at = { host: other.host, port: other.tlsPort };
      const { ca, fingerprint } = other.certificate;
      const error = await refused(addressAt(at, "anna", { security: "tls", ca }));
      expect(error).toBeInstanceOf(UserError);
      expect(error.message).toContain(words);
      expect(await count(addressAt(at, "anna", { security: "tls", fingerprint }))).toBe(0);
    }
  });

  test("a server whose STARTTLS was taken away is not talked to in the clear", async () => {
    await using proxy = await startProxy(server, {
      rewrite: (line) => line.replace(" STARTTLS", ""),
    });
    const { ca } = server.certificate;
    const error = await refused(addressAt(proxy, "anna", { security: "starttls", ca }));
    expect(error).toBeInstanceOf(UserError);
    expect(error.message).toMatch(/STARTTLS.*imaps:\/\/ in `endpoint set old …`/);
    expect(saidByLogin(proxy)).toEqual([]);
  });

  test("a server that logs us in unasked is not believed", async () => {
    await using proxy = await startProxy(server, {
      rewrite: (line) => line.replace(/^\* OK (.*ready.*)/, "* PREAUTH $1"),
    });
    for (const security of ["none", "starttls"] as const) {
      const { ca } = server.certificate;
      const error = await refused(addressAt(proxy, "anna", { security, ca }));
      expect(error).toBeInstanceOf(UserError);
    }
  });

  test("no login where the server forbids it without TLS", async () => {
    await using strict = await startDovecot({ plaintextRefused: true, listen: "127.0.0.2" });
    const error = await refused(addressAt(strict, "anna"));
    expect(error).toBeInstanceOf(UserError);
    expect(error.message).toMatch(/LOGINDISABLED.*`endpoint set old …`/);
    const { ca } = strict.certificate;
    expect(await count(addressAt(strict, "anna", { security: "starttls", ca }))).toBe(0);
  });

  test("without TLS only on the loopback address", async () => {
    const error = await refused(addressAt({ host: "mail.old.example", port: 143 }, "anna"));
    expect(error).toBeInstanceOf(UserError);
    expect(error.message).toContain("loopback");
  });

  test("the address comes from whoever guards it, the certificate's name does not", async () => {
    const asked: string[] = [];
    const guarded = imapProvider({
      async outer(host) {
        asked.push(host);
        return server.host;
      },
    });
    const { ca } = server.certificate;
    const at = { host: "localhost", port: server.tlsPort };
    await using source = await guarded.source(
      addressAt(at, "anna", { security: "tls", ca, inward: false }),
    );
    expect((await source.open("INBOX")).state.count).toBe(1);
    expect(asked).toEqual(["localhost"]);
    const stranger = addressAt({ ...at, host: "mail.old.example" }, "anna", {
      security: "tls",
      ca,
      inward: false,
    });
    await expect(guarded.source(stranger)).rejects.toThrow("it belongs to another name");
  });

  test("nobody there, nobody of that name, and one who hangs up", async () => {
    const gone = createServer().listen(0, "127.0.0.1");
    await once(gone, "listening");
    const { port } = gone.address() as { port: number };
    gone.close();
    await once(gone, "close");
    expect(await refused(addressAt({ host: "127.0.0.1", port }, "anna"))).toMatchObject({
      name: "TransientError",
      waitingFor: "connection",
    });
    const unknown = addressAt({ host: "mail.nowhere.invalid", port: 993 }, "anna", {
      security: "tls",
    });
    // Where there is no name server at all, time may mend it; where there is one, the name is wrong.
    const error = await refused(unknown);
    expect([UserError, TransientError]).toContain(error.constructor);
    const hangsUp = createServer((socket) => socket.end("* BYE Too many connections\r\n"));
    hangsUp.listen(0, "127.0.0.1");
    await once(hangsUp, "listening");
    const at = { host: "127.0.0.1", port: (hangsUp.address() as { port: number }).port };
    expect(await refused(addressAt(at, "anna"))).toMatchObject({ waitingFor: "connection limit" });
    hangsUp.close();
  });

  test("a port that does not speak TLS is told from a bad certificate", async () => {
    const error = await refused(addressAt(server, "anna", { security: "tls" }));
    expect(error).toBeInstanceOf(UserError);
    expect(error.message).toMatch(/does not speak TLS.*`endpoint set old …`/);
  });
});

function saidByLogin(proxy: ImapProxy): string[] {
  return proxy.commands.filter((command) => /^(LOGIN|AUTHENTICATE)/i.test(command));
}
