import { UserError } from "../../engine/domain/errors.ts";
import { aboutAll, command, privately } from "../command.ts";
import { changeOf, type Wanted } from "../endpoint-change.ts";
import {
  readCa,
  readFingerprint,
  readFormat,
  readMasterName,
  refusePinsWithoutTls,
} from "../endpoint-words.ts";
import { isListed, type Place, readUrl, refuseInner } from "../host.ts";
import { readName } from "../mailbox.ts";
import { endpointChanged } from "../wording/endpoint.ts";

type Options = ReadonlyMap<string, string>;

export const endpointSet = command({
  name: "endpoint set",
  usage:
    "endpoint set <name> [<url>] [--user <master>] [--master-format star|authzid|<template>] [--ca <file>|none] [--fingerprint <AA:BB:…>|none] [--insecure]",
  summary: "changes where a mail server is and how it is trusted; what is not typed stays",
  role: "owner",
  about: aboutAll,
  group: "Set up",
  examples: [
    "endpoint set old imaps://mail.old.example",
    "endpoint set old --user admin --master-format authzid",
    "endpoint set new --fingerprint none --ca ./ca.pem",
  ],
  options: {
    user: { value: "<master>" },
    "master-format": { value: "star|authzid|<template>" },
    ca: { value: "<file>|none", machineOnly: true },
    fingerprint: { value: "<AA:BB:…>|none" },
    insecure: { value: null },
    login: { value: "master|user" },
  },
  parse({ args, options }) {
    const name = readName("endpoint", args[0]);
    const [, url] = args;
    if (args.length > 2 || (url === undefined && options.size === 0)) {
      throw new UserError(
        `What is to change of ${name}? Nothing was changed. Type its address, like \`endpoint set ${name} imaps://imap.example.net\`, or an option; \`help endpoint set\` shows them.`,
      );
    }
    if (options.has("login")) {
      throw new UserError(
        "Another way to log in needs an endpoint and a project of its own, which carries everything anew; nothing was changed. Type `endpoint new <name> <url> --login master|user`, or leave `--login` out.",
      );
    }
    return { name, wanted: readWanted(name, url, options), ca: options.get("ca") };
  },
  async run({ name, wanted, ca }, { desk, machine, capabilities, options }) {
    const { place } = wanted;
    const here = capabilities.readsThisMachine;
    if (place !== undefined && !here) refuseInner(place, options.endpointsAllowed);
    const listed = place !== undefined && isListed(place, options.endpointsAllowed);
    const endpoint = await desk.projects.endpoint(name);
    if (endpoint === null) {
      throw new UserError(
        `There is no endpoint ${name}; nothing was changed. Type \`endpoint list\` to see them.`,
      );
    }
    const trusted = ca === undefined ? {} : { ca: isNone(ca) ? null : await readCa(ca, machine) };
    const changed = await desk.projects.changeEndpoint(endpoint.id, (now, ownPasswords) =>
      changeOf({ ...wanted, ...trusted }, { here, listed }, now, ownPasswords),
    );
    return privately(endpointChanged(changed));
  },
});

/** All that can be read without looking into a file. */
function readWanted(name: string, url: string | undefined, options: Options): Omit<Wanted, "ca"> {
  const user = options.get("user");
  const format = options.get("master-format");
  const fingerprint = options.get("fingerprint");
  const place = readPlace(name, url, options);
  return {
    ...(place && { place }),
    ...(user !== undefined && { masterUser: readMasterName(user) }),
    ...(format !== undefined && { masterFormat: readFormat(format) }),
    ...(fingerprint !== undefined && {
      fingerprint: isNone(fingerprint) ? null : readFingerprint(fingerprint),
    }),
  };
}

function readPlace(name: string, url: string | undefined, options: Options): Place | null {
  if (url === undefined) {
    if (!options.has("insecure")) return null;
    throw new UserError(
      `\`--insecure\` belongs to an address; nothing was changed. Type it too, like \`endpoint set ${name} imap://127.0.0.1:1143 --insecure\`.`,
    );
  }
  const place = readUrl(url, options.has("insecure"));
  const [ca, fingerprint] = ["ca", "fingerprint"].map((one) => {
    const typed = options.get(one);
    return typed === undefined || isNone(typed) ? undefined : typed;
  });
  refusePinsWithoutTls(place, ca, fingerprint);
  return place;
}

function isNone(typed: string): boolean {
  return typed.toLowerCase() === "none";
}
