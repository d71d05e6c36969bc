import { types } from "node:util";
import { Secret } from "../engine/domain/secret.ts";
import { hidden, isSecretName, redactText } from "./redact-text.ts";

/** How much of one line is kept: how deep, how many values in all, and how many of one list. */
const most = { deep: 8, values: 400, inList: 50, errors: 6 };
const text = { limit: 2_000 };
const stack = { limit: 6_000, lines: 40 };

/** What of an error helps who reads a log; whatever else hangs on it stays behind, with requests, settings and rows. */
const worthKeeping = ["code", "errno", "syscall", "severity", "routine", "status", "statusCode"];

/** What one line has taken in so far. */
interface Walk {
  values: number;
  above: Set<object>;
}

/**
 * A value as a log may hold it: plain JSON, a bounded part of it, without secrets, Buffers or what others' objects
 * compute. It never throws and runs no getter but an error's own name, message and stack. The value is left as it is.
 */
export function redact(value: unknown): unknown {
  return walk(value, 0, { values: 0, above: new Set() });
}

/** The facts of a log line. */
export function redactFacts(facts: object): Record<string, unknown> {
  const shown = redact(facts);
  return typeof shown === "object" && shown !== null && !Array.isArray(shown)
    ? (shown as Record<string, unknown>)
    : { facts: shown };
}

function walk(value: unknown, depth: number, so: Walk): unknown {
  switch (typeof value) {
    case "string":
      return shownText(value, depth, so);
    case "number":
    case "boolean":
    case "undefined":
      return value;
    case "bigint":
      return value.toString();
    case "symbol":
      return "[symbol]";
    case "function":
      return "[function]";
    case "object":
      return value === null ? null : object(value, depth, so);
  }
}

function object(value: object, depth: number, so: Walk): unknown {
  try {
    return known(value, depth, so);
  } catch {
    return "[cannot be shown]";
  }
}

function known(value: object, depth: number, so: Walk): unknown {
  // A proxy's traps are somebody else's program.
  if (types.isProxy(value)) return "[proxy]";
  if (value instanceof Secret) return hidden;
  const bytes = bytesOf(value);
  if (bytes !== null) return `[${bytes} bytes]`;
  if (value instanceof Date) {
    const time = Date.prototype.getTime.call(value);
    return Number.isNaN(time) ? "[no date]" : new Date(time).toISOString();
  }
  if (value instanceof URL) return redactText(URL.prototype.toString.call(value), text);
  if (value instanceof RegExp) return "[pattern]";
  if (so.above.has(value)) return "[circular]";
  so.values += 1;
  if (depth > most.deep || so.values > most.values) return "[more]";
  so.above.add(value);
  try {
    return inside(value, depth, so);
  } finally {
    so.above.delete(value);
  }
}

function inside(value: object, depth: number, so: Walk): unknown {
  if (types.isNativeError(value) || value instanceof Error) return errorShown(value, depth, so);
  if (Array.isArray(value)) return list(value, value.length, depth, so);
  if (value instanceof Map) {
    const pairs = Map.prototype.entries.call(value).take(most.inList).toArray();
    return pairs.every(([name]) => typeof name === "string")
      ? fields(pairs as [string, unknown][], value.size - pairs.length, depth, so)
      : list(pairs, value.size, depth, so);
  }
  if (value instanceof Set) {
    const values = Set.prototype.values.call(value).take(most.inList).toArray();
    return list(values, value.size, depth, so);
  }
  const names = Object.keys(value);
  const held = names.slice(0, most.inList).flatMap((name) => ownValue(value, name));
  return fields(held, Math.max(0, names.length - most.inList), depth, so);
}

/** What a getter would compute is not asked for. */
function ownValue(value: object, name: string): [string, unknown][] {
  const held = Object.getOwnPropertyDescriptor(value, name);
  return held !== undefined && "value" in held ? [[name, held.value]] : [];
}

function fields(
  pairs: [string, unknown][],
  rest: number,
  depth: number,
  so: Walk,
): Record<string, unknown> {
  const kept = pairs.map(([name, value]) => {
    so.values += 1;
    return [redactText(name, { limit: 80 }), named(name, value, depth, so)] as const;
  });
  // Headers come as `{ name: "Authorization", value: "…" }` too.
  const title = pairs.find(([name, held]) => /^(name|key|header)$/i.test(name) && isName(held));
  const shown = title === undefined ? kept : kept.map(([name, held]) => hideValue(name, held));
  return Object.fromEntries([...shown, ...(rest > 0 ? [["…", rest] as const] : [])]);
}

function hideValue(name: string, held: unknown): readonly [string, unknown] {
  return /^(value|val|data)$/i.test(name) ? [name, hidden] : [name, held];
}

/** The value of a name. Whether there is any may be seen, and `pass` is the number of a pass. */
function named(name: string, value: unknown, depth: number, so: Walk): unknown {
  const nothing = value === null || value === undefined || value === "";
  if (nothing || typeof value === "boolean" || !isSecretName(name)) {
    return walk(value, depth + 1, so);
  }
  if (name === "pass" && typeof value === "number") return value;
  return hidden;
}

/** The first of `size` values. */
function list(
  values: unknown[],
  size: number,
  depth: number,
  so: Walk,
  many = most.inList,
): unknown[] {
  const kept = Array.from({ length: Math.min(values.length, many) }, (_, at) => {
    so.values += 1;
    if (so.values > most.values) return "[more]";
    // `["Authorization", "Bearer …"]`, as raw headers and pairs come.
    return isName(own(values, at - 1)) ? hidden : walk(own(values, at), depth + 1, so);
  });
  return size > kept.length ? [...kept, `[${size - kept.length} more]`] : kept;
}

/** The value itself, not what a getter in its place would compute. */
function own(values: unknown[], at: number): unknown {
  return Object.getOwnPropertyDescriptor(values, at)?.value;
}

function isName(value: unknown): boolean {
  return typeof value === "string" && value.length <= 60 && isSecretName(value);
}

function errorShown(error: object, depth: number, so: Walk): Record<string, unknown> {
  const shown: Record<string, unknown> = {};
  const line = (as: string, name: string, form: { limit: number; lines?: number }) => {
    const said = ask(error, name);
    if (typeof said === "string") shown[as] = redactText(said, form);
    else if (typeof said === "number") shown[as] = said;
  };
  line("type", "name", { limit: 100 });
  line("message", "message", text);
  for (const name of worthKeeping) line(name, name, { limit: 100 });
  line("stack", "stack", stack);
  const errors = ask(error, "errors");
  if (Array.isArray(errors)) {
    shown.errors = list(errors, errors.length, depth + 1, so, most.errors);
  }
  const cause = ask(error, "cause");
  if (cause !== undefined) shown.cause = walk(cause, depth + 1, so);
  return shown;
}

/** Undefined where it is not there, or cannot be had. */
function ask(error: object, name: string): unknown {
  try {
    return Reflect.get(error, name);
  } catch {
    return undefined;
  }
}

/** JSON within a text is looked into like any other value: what is a name there is one. */
function shownText(value: string, depth: number, so: Walk): string {
  if (depth <= most.deep && value.length <= 20_000 && /^\s*[[{]/.test(value)) {
    const read = parsed(value);
    if (read !== undefined) {
      return redactText(JSON.stringify(walk(read, depth + 1, so)), text);
    }
  }
  return redactText(value, text);
}

function parsed(value: string): unknown {
  try {
    return JSON.parse(value);
  } catch {
    return undefined;
  }
}

/** How many bytes it holds; null where it is none. As JSON has it, too. */
function bytesOf(value: object): number | null {
  if (ArrayBuffer.isView(value) || value instanceof ArrayBuffer) return value.byteLength;
  if (value instanceof SharedArrayBuffer) return value.byteLength;
  const type = Object.getOwnPropertyDescriptor(value, "type")?.value;
  const data = Object.getOwnPropertyDescriptor(value, "data")?.value;
  return type === "Buffer" && Array.isArray(data) ? data.length : null;
}
