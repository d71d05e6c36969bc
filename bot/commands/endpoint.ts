import { harmless, UserError } from "../../engine/domain/errors.ts";
import { aboutAll, command, privately } from "../command.ts";
import {
  readCa,
  readFingerprint,
  readFormat,
  readMasterName,
  refusePinsWithoutTls,
} from "../endpoint-words.ts";
import { isListed, readUrl, refuseInner } from "../host.ts";
import { readName } from "../mailbox.ts";
import { passwordFrom } from "../variables.ts";
import { missing, told } from "../wording/endpoint.ts";
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
    const pinned = options.get("fingerprint");
    refusePinsWithoutTls(place, ca, pinned);
    return {
      name,
      place,
      ca,
      fingerprint: pinned === undefined ? null : readFingerprint(pinned),
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
  const master = readMasterName(user);
  return { login, user: master, format: readFormat(options.get("master-format") ?? "star") };
}
