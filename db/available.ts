import { UnavailableError } from "../engine/domain/errors.ts";

/**
 * The same port, whose errors say it where the database is away: its server ended the session or does not answer,
 * its file cannot be written. Whoever asked may try again; nothing half done stands in it.
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
  throw isAway(error)
    ? new UnavailableError("The database does not answer.", { cause: error })
    : error;
}

/** PostgreSQL's classes of lost connections and of a server that goes down, the system's, SQLite's, knex's own. */
function isAway(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const code = "code" in error ? String(error.code) : "";
  return (
    /^(08...|57P0[123]|53300|ECONN\w+|EPIPE|ETIMEDOUT|SQLITE_(FULL|IOERR|BUSY|CANTOPEN))$/.test(
      code,
    ) ||
    error.name === "KnexTimeoutError" ||
    // knex puts the statement in front.
    /(^| )(Connection (terminated|ended)|Client has encountered a connection error)/.test(
      error.message,
    )
  );
}

function isPromise(answer: unknown): answer is PromiseLike<unknown> {
  return typeof (answer as { then?: unknown } | null)?.then === "function";
}

function isIterable(answer: unknown): answer is AsyncIterable<unknown> {
  return Object(answer)[Symbol.asyncIterator] !== undefined && !isPromise(answer);
}
