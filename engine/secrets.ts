import { createCipheriv, createDecipheriv, randomBytes } from "node:crypto";
import { link, readFile, unlink, writeFile } from "node:fs/promises";
import { UserError } from "./domain/errors.ts";
import { type Sealer, Secret } from "./domain/secret.ts";

/** A key that seals secrets, and the name it has in what it sealed. */
export interface Key {
  id: string;
  value: Secret;
}

/** The key is not in this process. Another may have it: keys are changed one process after another. */
export class MissingKeyError extends UserError {
  override name = "MissingKeyError";
}

const cipher = "aes-256-gcm";
const howTo =
  "Type `npm run -s godwit -- keys new` to make one, or put the right one back where secrets are sealed with it.";

/**
 * Reads `id:base64[,id:base64…]`; the first key seals, all open. Throws `UserError` where one is short,
 * malformed or named twice, and never repeats any of it.
 */
export function parseKeys(text: string): Key[] {
  const keys: Key[] = [];
  for (const [index, part] of text.split(",").entries()) {
    const which = `key ${index + 1}`;
    const [, id, encoded] = /^\s*([\w-]{1,40}):([A-Za-z0-9+/_-]+={0,2})\s*$/.exec(part) ?? [];
    if (id === undefined || encoded === undefined) {
      throw new UserError(
        `GODWIT_KEYS cannot be read: ${which} is not of the form id:base64. Nothing was started. ${howTo}`,
      );
    }
    const bytes = Buffer.from(encoded, "base64");
    if (bytes.length !== 32) {
      throw new UserError(
        `GODWIT_KEYS cannot be used: ${which} has ${bytes.length} bytes and needs 32. Nothing was started. ${howTo}`,
      );
    }
    if (keys.some((key) => key.id === id)) {
      throw new UserError(
        `GODWIT_KEYS cannot be used: ${which} has the id of another one. Nothing was started. Give each key an id of its own.`,
      );
    }
    keys.push({ id, value: new Secret(bytes.toString("base64")) });
  }
  return keys;
}

/** A new key as `GODWIT_KEYS` takes it: an id with today's date and some chance, and 32 random bytes. */
export function makeKey(now = new Date()): string {
  const day = now.toISOString().slice(0, 10).replaceAll("-", "");
  return `k${day}${randomBytes(2).toString("hex")}:${randomBytes(32).toString("base64")}`;
}

/** The keys in this file; null where there is none. */
export async function keysIn(path: string): Promise<Key[] | null> {
  const there = await readIfThere(path);
  return there === null ? null : parseFile(path, there);
}

/** The keys in this file, made once with mode 0600 where there is none. Safe for several at once. */
export async function keyFile(path: string): Promise<{ keys: Key[]; made: boolean }> {
  const there = await keysIn(path);
  if (there !== null) return { keys: there, made: false };
  // Written elsewhere and linked into place, so that nobody ever reads half a key.
  const draft = `${path}.${randomBytes(6).toString("hex")}`;
  await writeFile(draft, `${makeKey()}\n`, { mode: 0o600, flag: "wx" });
  try {
    await link(draft, path);
  } catch (error) {
    if (codeOf(error) !== "EEXIST") throw error;
    return { keys: parseFile(path, await readFile(path, "utf8")), made: false };
  } finally {
    await unlink(draft);
  }
  return { keys: parseFile(path, await readFile(path, "utf8")), made: true };
}

/**
 * AES-256-GCM under the first of the keys, with a fresh 96-bit nonce each time; the key's id and the place
 * are authenticated. The text is `v1.<key id>.<nonce>.<data>.<tag>`, in base64url.
 */
export function aesSealer(keys: Key[]): Sealer {
  const [active] = keys;
  if (active === undefined) throw new UserError(`There is no key to seal with. ${howTo}`);
  return {
    seal(secret, place) {
      const nonce = randomBytes(12);
      const sealing = createCipheriv(cipher, bytesOf(active), nonce);
      sealing.setAAD(boundTo(active.id, place));
      const data = Buffer.concat([sealing.update(secret.reveal(), "utf8"), sealing.final()]);
      const parts = [nonce, data, sealing.getAuthTag()].map((part) => part.toString("base64url"));
      return ["v1", active.id, ...parts].join(".");
    },
    open(sealed, place) {
      const [version, id, ...parts] = sealed.split(".");
      const key = keys.find((one) => one.id === id);
      if (version !== "v1" || parts.length !== 3) throw new UserError(spoiled(place));
      if (key === undefined) {
        throw new MissingKeyError(
          `The secret ${place} is sealed with a key that is not here. Put the key back: into GODWIT_KEYS behind the newer ones, or godwit.key back to its place.`,
        );
      }
      const [nonce, data, tag] = parts.map((part) => Buffer.from(part, "base64url"));
      try {
        const opening = createDecipheriv(cipher, bytesOf(key), nonce!, { authTagLength: 16 });
        opening.setAAD(boundTo(key.id, place));
        opening.setAuthTag(tag!);
        return new Secret(Buffer.concat([opening.update(data!), opening.final()]).toString("utf8"));
      } catch (error) {
        throw new UserError(spoiled(place), { cause: error });
      }
    },
  };
}

function spoiled(place: string): string {
  return `The secret ${place} does not open: it was changed, or sealed with another key of the same id. Put the right key back, or enter the password again.`;
}

function boundTo(id: string, place: string): Buffer {
  return Buffer.from(`${id}\0${place}`, "utf8");
}

function bytesOf(key: Key): Buffer {
  return Buffer.from(key.value.reveal(), "base64");
}

function parseFile(path: string, text: string): Key[] {
  try {
    return parseKeys(text);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    throw new UserError(error.message.replace("GODWIT_KEYS", `The key file ${path}`), {
      cause: error,
    });
  }
}

async function readIfThere(path: string): Promise<string | null> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    if (codeOf(error) === "ENOENT") return null;
    throw error;
  }
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && "code" in error ? error.code : undefined;
}
