import { isIP, Socket } from "node:net";
import { TLSSocket } from "node:tls";
import type { ImapFlowOptions } from "imapflow";
import { UserError } from "../../domain/errors.ts";
import type { Address, Endpoint } from "../../domain/provider.ts";
import { notConnected, type Who } from "./errors.ts";
import { type Limits, usualLimits } from "./limits.ts";
import { outerAddress } from "./outer.ts";
import { Late } from "./patience.ts";
import { type Session, sessionOver } from "./session.ts";
import { newWire, type Wire } from "./wire.ts";

/** How to connect; everything has a default. */
export interface ImapOptions {
  /** The address of a host that must not lead inside; `outerAddress` by default. */
  outer?: (host: string, endpoint: string) => Promise<string>;
  connectMs?: number;
  /** How long a server may be silent while it owes an answer. */
  silenceMs?: number;
  /** How often an unused connection says NOOP. */
  keepAliveMs?: number;
  /** Other limits than the usual ones. */
  limits?: Partial<Limits>;
  /** The time, for dates that lie in the future. */
  now?: () => number;
}

/**
 * Connects and logs in. Throws `UserError` where somebody must act (login, certificate, name),
 * `TransientError` where time must pass.
 */
export async function connect(address: Address, options: ImapOptions): Promise<Session> {
  const { endpoint } = address;
  const login = loginOf(address);
  const who: Who = {
    mailbox: address.mailbox,
    endpoint: endpoint.name,
    endpointId: endpoint.id,
    host: endpoint.host,
    port: endpoint.port,
    remedy: remedy(address),
    secrets: asSent(login),
  };
  if (endpoint.security === "none" && !isLoopback(endpoint.host)) {
    throw new UserError(
      `${endpoint.name} (${endpoint.host}) may not be used without TLS: \`--insecure\` is for loopback addresses alone. Use imaps:// or imap:// with STARTTLS.`,
    );
  }
  const host = endpoint.inward ? endpoint.host : await outer(endpoint, who, options);
  const limits = { ...usualLimits, ...options.limits };
  const wire = newWire(wireOptions(endpoint, host, login, options, limits), limits, (ready) =>
    checkBeforeLogin(ready, endpoint, login, who),
  );
  let failure: unknown = null;
  wire.on("error", (error: unknown) => {
    failure = error;
  });
  // Each step has its own time; together they may drip.
  const late = setTimeout(() => {
    failure ??= new Late();
    wire.close();
  }, limits.loginMs);
  try {
    await wire.connect();
  } catch (error) {
    wire.close();
    throw notConnected(error, who, failure);
  } finally {
    clearTimeout(late);
  }
  // The end of a message would wait until the server has acknowledged its bytes: 40 ms each with some.
  if (wire.socket instanceof Socket) wire.socket.setNoDelay(true);
  return sessionOver(wire, who, limits, options.keepAliveMs ?? 120_000);
}

async function outer({ host, name }: Endpoint, who: Who, options: ImapOptions): Promise<string> {
  try {
    return await (options.outer ?? outerAddress)(host, name);
  } catch (error) {
    throw error instanceof UserError ? error : notConnected(error, who, null);
  }
}

/** The password in every form it is sent in: a server may repeat what it was given in what it says. */
function asSent({ user, pass, authzid = "" }: Login): string[] {
  const plain = [`${authzid}\0${user}\0${pass}`, `${user}\0${user}\0${pass}`, pass];
  const encoded = plain.map((text) => Buffer.from(text).toString("base64"));
  const escaped = pass.replace(/["\\]/g, "\\$&");
  return [...encoded, escaped, pass, Buffer.from(pass).toString("latin1")];
}

interface Login {
  user: string;
  pass: string;
  authzid?: string;
}

function loginOf({ endpoint, mailbox, user, password }: Address): Login {
  if (endpoint.login === "xoauth2") {
    throw new UserError(
      `${endpoint.name} asks for OAuth, which is not in this version yet. Use \`--login user\` or \`--login master\`.`,
    );
  }
  if (password !== null) return { user: user ?? mailbox, pass: password.reveal() };
  if (endpoint.login === "user") {
    throw new UserError(
      `There is no password for ${mailbox} at ${endpoint.name}. Nothing was carried. Import the list again with a password column.`,
    );
  }
  const { masterUser, masterPassword, masterFormat } = endpoint;
  if (masterUser === null || masterPassword === null) {
    throw new UserError(
      `${endpoint.name} has no master user or no password for it. Nothing was carried. Type \`endpoint secret ${endpoint.name}\`.`,
    );
  }
  const pass = masterPassword.reveal();
  const name = user ?? mailbox;
  switch (masterFormat) {
    case "star":
      return { user: `${name}*${masterUser}`, pass };
    case "authzid":
      return { user: masterUser, pass, authzid: name };
    default: {
      const filled = masterFormat.replace(/\{(address|master)\}/g, (_, what: string) =>
        what === "address" ? name : masterUser,
      );
      return { user: filled, pass };
    }
  }
}

function wireOptions(
  endpoint: Endpoint,
  host: string,
  login: Login,
  options: ImapOptions,
  limits: Limits,
): ImapFlowOptions {
  const { security, ca, fingerprint } = endpoint;
  return {
    host,
    port: endpoint.port,
    // The certificate is the named host's, whatever address that was resolved to.
    servername: isIP(endpoint.host) === 0 ? endpoint.host : undefined,
    secure: security === "tls",
    doSTARTTLS: security === "tls" ? undefined : security === "starttls",
    tls: {
      minVersion: "TLSv1.2",
      ...(ca === null ? {} : { ca }),
      // A pinned certificate is compared before anything secret is sent: see `checkBeforeLogin`.
      rejectUnauthorized: fingerprint === null,
    },
    auth: { ...login, loginMethod: login.authzid === undefined ? undefined : "AUTH=PLAIN" },
    clientInfo: { name: "godwit", version: false, vendor: false, "support-url": false },
    disableAutoIdle: true,
    // Nothing is enabled that changes how names are written or what is told unasked.
    disableAutoEnable: true,
    disableCompression: true,
    disableIMAP4rev2: true,
    connectionTimeout: options.connectMs ?? 30_000,
    greetingTimeout: options.connectMs ?? 30_000,
    socketTimeout: options.silenceMs ?? 300_000,
    // Looked at before, by the screen: the same again.
    maxLiteralSize: limits.literal,
    maxResponseSize: limits.literal + 2 * limits.line,
    maxLineLength: limits.line,
  };
}

function checkBeforeLogin(wire: Wire, endpoint: Endpoint, login: Login, who: Who): void {
  const place = `${who.endpoint} (${who.host}:${who.port})`;
  if (endpoint.security !== "none") {
    if (!wire.secureConnection)
      throw new UserError(`${place} did not start TLS. Nothing was sent to it.`);
    if (endpoint.fingerprint !== null) checkPin(wire, endpoint.fingerprint, place, who);
  }
  // imapflow keeps the words of an OK greeting; PREAUTH has none.
  if (wire.greeting === undefined) {
    throw new UserError(
      `${place} logged us in before it was asked (PREAUTH): whose mailbox that is cannot be known. Nothing was carried. Use a port that asks for a login.`,
    );
  }
  if (!wire.secureConnection && wire.capabilities.has("LOGINDISABLED")) {
    throw new UserError(
      `${place} takes no login without TLS (LOGINDISABLED). Nothing was carried. Use imaps:// or imap:// with STARTTLS in \`endpoint set ${who.endpoint} …\`.`,
    );
  }
  // Without it the master would be in a mailbox of its own.
  if (login.authzid !== undefined && !wire.capabilities.has("AUTH=PLAIN")) {
    throw new UserError(
      `${place} does not offer SASL PLAIN, which a login for others (authzid) needs. Nothing was carried. Try \`endpoint set ${who.endpoint} --master-format star\`.`,
    );
  }
}

function checkPin(wire: Wire, pinned: string, place: string, who: Who): void {
  const seen =
    wire.socket instanceof TLSSocket ? wire.socket.getPeerCertificate().fingerprint256 : undefined;
  const plain = (text: string) => text.replace(/[^0-9a-f]/gi, "").toUpperCase();
  if (seen !== undefined && plain(seen) === plain(pinned)) return;
  throw new UserError(
    `The certificate of ${place} is not the pinned one: it showed ${seen ?? "none"}. Nothing was sent to it. If the server has a new certificate, pin that with \`endpoint set ${who.endpoint} --fingerprint <sha256>\`.`,
  );
}

function remedy({ endpoint, mailbox, password }: Address): string {
  return password === null
    ? `Give the right master password with \`endpoint secret ${endpoint.name}\`, then \`verify ${mailbox}\`.`
    : `Import the list again with the right password, then \`verify ${mailbox}\`.`;
}

function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || (isIP(host) === 4 && host.startsWith("127."));
}
