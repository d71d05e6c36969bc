import { UnavailableError } from "../engine/domain/errors.ts";

/**
 * The same port, whose errors say it where the database is away: its server ended the session or does not answer,
 * its disk is full, its file cannot be written. Whoever asked may try again; nothing half done stands in it.
 */
export function available<Port extends object>(port: Port): Port {
  const methods = Object.entries(port).map(([name, method]: [string, unknown]) => [
    name,
    typeof method === "function" ? guarded(method as Method) : method,
  ]);
  return Object.fromEntries(methods) as Port;
}

type Method = (...given: unknown[]) => unknown;

function guarded(method: Method): Method {
  return (...given) => {
    const answer = method(...given);
    if (isIterable(answer)) return reading(answer);
    return isPromise(answer) ? answer.then(undefined, rethrow) : answer;
  };
}

async function* reading(rows: AsyncIterable<unknown>): AsyncGenerator<unknown> {
  try {
    yield* rows;
  } catch (error) {
    rethrow(error);
  }
}

function rethrow(error: unknown): never {
  const away = whyAway(error);
  throw away === null ? error : new UnavailableError(away, { cause: error });
}

const goesOn = "Runs wait and go on by themselves when that is mended.";

/** By the codes of PostgreSQL, SQLite and the system. */
const reasons: [code: RegExp, words: string][] = [
  [/^(53100|SQLITE_FULL)$/, `The disk of the database is full. Free some of it. ${goesOn}`],
  [
    /^(58030|SQLITE_(IOERR|READONLY|CANTOPEN))$/,
    `The database's file cannot be read or written. Look at its disk and its permissions. ${goesOn}`,
  ],
  [/^53300$/, `The database takes no more connections. Raise max_connections. ${goesOn}`],
  [/^53...$/, `The database has no room for more work. ${goesOn}`],
  [/^(SQLITE_BUSY|40001|40P01)$/, `Another process keeps the database busy. ${goesOn}`],
  // Lost connections, a server that goes down, a session it ended.
  [/^(08...|57P0[1235]|25P03|ECONN\w+|EPIPE|ETIMEDOUT)$/, "The database does not answer."],
];

/** Null for a fault that has nothing to do with it. */
function whyAway(error: unknown): string | null {
  if (!(error instanceof Error)) return null;
  const code = "code" in error ? String(error.code) : "";
  const known = reasons.find(([codes]) => codes.test(code));
  if (known !== undefined) return known[1];
  // SQLite took the transaction back by itself, and knex tells of its own second try alone.
  if (/cannot rollback - no transaction is active/.test(error.message)) {
    return `The disk of the database is full or fails. Look at it. ${goesOn}`;
  }
  const silent =
    error.name === "KnexTimeoutError" ||
    // knex puts the statement in front.
    /(^| )(Connection (terminated|ended)|timeout expired|Client (was closed|has encountered a connection error))/.test(
      error.message,
    );
  return silent ? "The database does not answer." : null;
}

function isPromise(answer: unknown): answer is PromiseLike<unknown> {
  return typeof (answer as { then?: unknown } | null)?.then === "function";
}

function isIterable(answer: unknown): answer is AsyncIterable<unknown> {
  return Object(answer)[Symbol.asyncIterator] !== undefined && !isPromise(answer);
}
