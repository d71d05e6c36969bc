import { harmless, UserError } from "../../engine/domain/errors.ts";
import type { Endpoint } from "../../engine/domain/provider.ts";
import { aboutAll, command, type Machine, privately } from "../command.ts";
import { isListed, readUrl, refuseInner } from "../host.ts";
import { readName } from "../mailbox.ts";
import { passwordFrom } from "../variables.ts";
import { columns } from "../wording/figures.ts";
import { paceOf } from "../wording/pace.ts";

export const endpointNew = command({
  name: "endpoint new",
  usage:
    "endpoint new <name> <url> [--login master|user] [--user <master>] [--password-env <VARIABLE>] [--master-format star|authzid|<template>] [--ca <file>] [--fingerprint <AA:BB:…>] [--insecure]",
  summary: "names a mail server: imaps:// is TLS, imap:// STARTTLS",
  role: "owner",
  about: aboutAll,
  group: "Set up",
  examples: [
    "endpoint new old imap://mail.old.example --login master --user master --password-env OLD_PASSWORD",
    "endpoint new new imaps://imap.example.net --login user --ca ./ca.pem",
  ],
  options: {
    login: { value: "master|user" },
    user: { value: "<master>" },
    "password-env": { value: "<VARIABLE>", machineOnly: true },
    "master-format": { value: "star|authzid|<template>" },
    ca: { value: "<file>", machineOnly: true },
    fingerprint: { value: "<AA:BB:…>" },
    insecure: { value: null },
    dav: {
      value: "<url>",
      later:
        "Calendars and contacts (`--dav`) are not in this version yet; nothing was made. Leave it out: mail is carried without it.",
    },
  },
  parse({ args, options }) {
    const name = readName("endpoint", args[0]);
    const [, url] = args;
    if (url === undefined || args.length > 2) {
      throw new UserError(
        `An endpoint has a name and an address; nothing was made. Type \`endpoint new ${name} imaps://imap.example.net\`.`,
      );
    }
    const place = readUrl(url, options.has("insecure"));
    const ca = options.get("ca");
    const fingerprint = readFingerprint(options.get("fingerprint"));
    if (place.security === "none" && (ca !== undefined || fingerprint !== null)) {
      throw new UserError(
        "`--insecure` looks at no certificate, `--ca` and `--fingerprint` do; nothing was made. Type one of them.",
      );
    }
    return {
      name,
      place,
      ca,
      fingerprint,
      ...readLogin(options),
      variable: options.get("password-env"),
    };
  },
  async run(args, context) {
    const { readsThisMachine } = context.capabilities;
    if (!readsThisMachine) refuseInner(args.place, context.options.endpointsAllowed);
    const made = await context.desk.projects.addEndpoint({
      name: args.name,
      provider: "imap",
      ...args.place,
      login: args.login,
      masterUser: args.user,
      masterFormat: args.format,
      masterPassword:
        args.variable === undefined ? null : passwordFrom(args.variable, context.machine),
      ca: args.ca === undefined ? null : await readCa(args.ca, context.machine),
      fingerprint: args.fingerprint,
      inward: readsThisMachine || isListed(args.place, context.options.endpointsAllowed),
    });
    return privately(`Endpoint ${made.name}: ${told(made)}.${missing(made)}`);
  },
});

export const endpointList = command({
  name: "endpoint list",
  usage: "endpoint list",
  summary: "shows the mail servers",
  role: "viewer",
  about: aboutAll,
  group: "Look",
  examples: ["endpoint list"],
  options: {},
  parse() {},
  async run(_, { desk }) {
    const all = await desk.projects.endpoints();
    if (all.length === 0) {
      return privately(
        "There are no endpoints yet. Type `endpoint new <name> imaps://imap.example.net`.",
      );
    }
    const now = desk.clock.now();
    const rows = await Promise.all(
      all.map(async (one) => {
        const pace = await desk.paces.of(one.id);
        return [one.name, `${told(one)}${paceOf(pace, now)}${missing(one)}`];
      }),
    );
    return privately({
      text: columns(rows),
      title: "Endpoints",
      table: { columns: ["name", "where and how"], rows },
    });
  },
});

function readLogin(options: ReadonlyMap<string, string>): {
  login: "master" | "user";
  user: string | null;
  format: string;
} {
  const user = options.get("user") ?? null;
  const login = (options.get("login") ?? (user === null ? "user" : "master")).toLowerCase();
  if (login === "xoauth2") {
    throw new UserError(
      "`--login xoauth2` is not in this version yet; nothing was made. Type `--login master` or `--login user`.",
    );
  }
  if (login !== "master" && login !== "user") {
    throw new UserError(
      `“${harmless(login, 30)}” is no way to log in; nothing was made. Type \`--login master\` or \`--login user\`.`,
    );
  }
  if (login === "user") {
    const wrong = ["user", "password-env", "master-format"].find((name) => options.has(name));
    if (wrong !== undefined) {
      throw new UserError(
        `With \`--login user\` each mailbox has its own name and password, which \`import\` brings; \`--${wrong}\` belongs to \`--login master\`. Nothing was made.`,
      );
    }
    return { login, user: null, format: "star" };
  }
  if (user === null || user === "" || harmless(user) !== user || /\s/.test(user)) {
    throw new UserError(
      "`--login master` needs the master's name; nothing was made. Type `--user <name>`.",
    );
  }
  return { login, user, format: readFormat(options.get("master-format") ?? "star") };
}

function readFormat(format: string): string {
  if (format === "star" || format === "authzid") return format;
  const plain = harmless(format, 200) === format;
  if (plain && format.includes("{address}") && format.includes("{master}")) return format;
  throw new UserError(
    "`--master-format` is `star`, `authzid` or a template with {address} and {master}, like `{address}*{master}`; nothing was made.",
  );
}

function readFingerprint(text: string | undefined): string | null {
  if (text === undefined) return null;
  const hex = text
    .replace(/^sha-?256[:/=]/i, "")
    .replace(/:/g, "")
    .toUpperCase();
  if (/^[0-9A-F]{64}$/.test(hex)) return hex.match(/../g)?.join(":") ?? null;
  throw new UserError(
    "`--fingerprint` is the SHA-256 of the certificate, 32 hex pairs like AA:BB:…; nothing was made. `openssl x509 -noout -fingerprint -sha256 -in cert.pem` prints it.",
  );
}

async function readCa(path: string, machine: Machine): Promise<string> {
  let text: string;
  try {
    text = await machine.readFile(path);
  } catch {
    throw new UserError(
      `The file ${harmless(path)} could not be read; nothing was made. Type \`--ca\` with the path of a PEM file.`,
    );
  }
  if (/PRIVATE KEY/.test(text)) {
    throw new UserError(
      `The file ${harmless(path)} holds a private key; nothing was made. Only the authority's certificate belongs here.`,
    );
  }
  if (!/-----BEGIN CERTIFICATE-----/.test(text) || text.length > 1_000_000) {
    throw new UserError(
      `The file ${harmless(path)} holds no certificate in PEM form; nothing was made.`,
    );
  }
  return text;
}

function told(endpoint: Endpoint): string {
  const security = { tls: "TLS", starttls: "STARTTLS", none: "without TLS" }[endpoint.security];
  const login =
    endpoint.login === "master"
      ? `logs in as master ${endpoint.masterUser ?? ""} (${endpoint.masterFormat})`
      : "logs in with each mailbox's own password";
  const trust =
    endpoint.fingerprint !== null
      ? ", one certificate trusted"
      : endpoint.ca !== null
        ? ", its own authority trusted"
        : "";
  const host = endpoint.host.includes(":") ? `[${endpoint.host}]` : endpoint.host;
  return `${host}:${endpoint.port}, ${security}${trust}, ${login}`;
}

function missing(endpoint: Endpoint): string {
  if (endpoint.login !== "master" || endpoint.masterPassword !== null) return "";
  return ` Its password is missing: type \`endpoint secret ${endpoint.name}\`.`;
}
