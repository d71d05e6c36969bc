import { harmless, UserError } from "../engine/domain/errors.ts";

// What is said where a database cannot be used as it is.

/** Of a database that could not be opened. */
export function unusable(error: unknown): Error {
  if (error instanceof UserError) return error;
  const said = error instanceof Error ? error.message || error.name : String(error);
  return new UserError(`The database cannot be used: ${whyUnusable(error, said)}`, {
    cause: error,
  });
}

function whyUnusable(error: unknown, said: string): string {
  if (/^Invalid URL/.test(said)) {
    return "its address cannot be read. Check DATABASE_URL; write characters like /, @, ? and % in a password as %2F, %40, %3F and %25.";
  }
  const silent = error instanceof Error && error.name === "KnexTimeoutError";
  if (silent || /timeout expired/.test(said)) {
    return "it does not answer. Is something in between, a firewall perhaps, or is its machine frozen? Check DATABASE_URL.";
  }
  return `${harmless(said)}. Check DATABASE_URL.`;
}

/** Refuses a database that these migrations of a newer version have changed too much. */
export function refuseTooNew(names: string[]): void {
  if (names.length === 0) return;
  throw new UserError(
    `This database was changed by a newer Godwit in a way this version cannot live with (${named(names)}). Nothing was changed now. Start that version, or set DATABASE_URL to another database.`,
  );
}

export function named(names: string[]): string {
  return names.map((name) => harmless(name)).join(", ");
}

export function inUse(cause: unknown): UserError {
  return new UserError(
    "The database could not be brought up to date: somebody holds its tables all the time, a backup perhaps. What was there works as before. Start again when that is over.",
    { cause },
  );
}

export function readOnly(cause?: unknown): UserError {
  return new UserError(
    "The database is read-only: a standby, or a file nobody may write. Nothing was started. Set DATABASE_URL to the server that takes what is written, or make the file writable.",
    { cause },
  );
}

/** `said` is PostgreSQL's own word of what is not permitted at this address. */
export function notPermitted(said: string, url: string, cause?: unknown): UserError {
  return new UserError(
    `The tables cannot be made: ${harmless(said)}. Nothing was started. ${toOwn(url)}`,
    { cause },
  );
}

/** What to type for the user of this address to own its database. */
export function toOwn(url: string): string {
  const { username = "", pathname = "" } = URL.parse(url) ?? {};
  const [name, user] = [nameIn(pathname.slice(1), "<name>"), nameIn(username, "<user>")];
  return `Make Godwit's user the owner of the database: \`alter database ${name} owner to ${user}\`.`;
}

/** As SQL takes it. */
function nameIn(part: string, otherwise: string): string {
  if (/^[a-z_][a-z0-9_]*$/.test(part)) return part;
  return /^[\w -]+$/.test(part) ? `"${part}"` : otherwise;
}

/** `said` is the database's own word of what stands there. */
export function occupied(said: string, cause?: unknown): UserError {
  return new UserError(
    `The tables cannot be made: ${harmless(said)}. The database belongs to another program, it seems. Nothing was started. Give Godwit one of its own, as \`createdb --owner=godwit godwit\` makes it, and set DATABASE_URL to that.`,
    { cause },
  );
}

/** Of tables that could not be made or changed: a refusal where somebody can do something about it, else the error. */
export function unmakeable(error: unknown, url: string): unknown {
  if (!(error instanceof Error) || error instanceof UserError) return error;
  const code = "code" in error ? String(error.code) : "";
  // knex puts the statement in front, and SQLite its code.
  const said = error.message.replace(/^.* - /s, "").replace(/^SQLITE_\w+: /, "");
  if (code === "25006" || /^SQLITE_READONLY/.test(code)) return readOnly(error);
  if (code === "42501") return notPermitted(said, url, error);
  if (code === "42P07" || / already exists$/.test(said)) return occupied(said, error);
  return error;
}
