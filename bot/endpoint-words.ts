import { harmless, UserError } from "../engine/domain/errors.ts";
import type { Machine } from "./command.ts";
import type { Place } from "./host.ts";

// What is typed of an endpoint, when it is made and when it is changed. All throw `UserError`.

/** Without TLS there is no certificate to look at. */
export function refusePinsWithoutTls(
  place: Place,
  ca: string | undefined,
  fingerprint: string | undefined,
): void {
  if (place.security !== "none" || (ca === undefined && fingerprint === undefined)) return;
  throw new UserError(
    "`--insecure` looks at no certificate, `--ca` and `--fingerprint` do; nothing was done. Type one of them.",
  );
}

export function readMasterName(user: string | null): string {
  if (user !== null && user !== "" && harmless(user) === user && !/\s/.test(user)) return user;
  throw new UserError(
    "`--login master` needs the master's name, in one word; nothing was done. Type `--user <name>`.",
  );
}

export function readFormat(format: string): string {
  if (format === "star" || format === "authzid") return format;
  const plain = harmless(format, 200) === format;
  if (plain && format.includes("{address}") && format.includes("{master}")) return format;
  throw new UserError(
    "`--master-format` is `star`, `authzid` or a template with {address} and {master}, like `{address}*{master}`; nothing was done.",
  );
}

/** As it is shown everywhere: hex pairs in capitals, joined by colons. */
export function readFingerprint(text: string): string {
  const hex = text
    .replace(/^sha-?256[:/=]/i, "")
    .replace(/:/g, "")
    .toUpperCase();
  if (/^[0-9A-F]{64}$/.test(hex)) return hex.replace(/..(?=.)/g, "$&:");
  throw new UserError(
    "`--fingerprint` is the SHA-256 of the certificate, 32 hex pairs like AA:BB:…; nothing was done. `openssl x509 -noout -fingerprint -sha256 -in cert.pem` prints it.",
  );
}

/** The authority's certificate that a file of this machine holds. */
export async function readCa(path: string, machine: Machine): Promise<string> {
  let text: string;
  try {
    text = await machine.readFile(path);
  } catch {
    throw new UserError(
      `The file ${harmless(path)} could not be read; nothing was done. Type \`--ca\` with the path of a PEM file.`,
    );
  }
  if (/PRIVATE KEY/.test(text)) {
    throw new UserError(
      `The file ${harmless(path)} holds a private key; nothing was done. Only the authority's certificate belongs here.`,
    );
  }
  if (!/-----BEGIN CERTIFICATE-----/.test(text) || text.length > 1_000_000) {
    throw new UserError(
      `The file ${harmless(path)} holds no certificate in PEM form; nothing was done.`,
    );
  }
  return text;
}
