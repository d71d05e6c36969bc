import { z } from "zod";
import { UserError } from "../engine/domain/errors.ts";

const text = z.string().trim();
const unset = (value: unknown) => (value === "" ? undefined : value);

const shape = z.object({
  DATABASE_URL: z.preprocess(unset, text.default("sqlite:./godwit.db")),
  QUEUE_URL: z.preprocess(unset, text.optional()),
  GODWIT_KEYS: z.preprocess(unset, text.optional()),
  GODWIT_OWNERS: z.preprocess(unset, text.default("")),
  GODWIT_ENDPOINTS_ALLOWED: z.preprocess(unset, text.default("")),
  GODWIT_QUIET_SECONDS: z.preprocess(
    unset,
    z.coerce
      .number("must be a number of seconds, like 30")
      .min(0, "must be 0 or more seconds")
      .max(86_400, "must be at most 86400 seconds")
      .default(30),
  ),
  LOG_LEVEL: z.preprocess(
    unset,
    z
      .enum(["trace", "debug", "info", "warn", "error", "silent"], {
        error: "must be one of trace, debug, info, warn, error, silent",
      })
      .default("warn"),
  ),
});

/** The product's own settings, checked. */
export interface Config {
  databaseUrl: string;
  keys: string | null;
  owners: string[];
  endpointsAllowed: string[];
  quietMs: number;
  logLevel: string;
}

/**
 * Reads the configuration from the environment. Throws `UserError` naming every variable that is wrong, and
 * never repeats a value.
 */
export function readConfig(env: Record<string, string | undefined>): Config {
  const read = shape.safeParse(env);
  if (!read.success) {
    const faults = read.error.issues.map((issue) => `${issue.path.join(".")} ${issue.message}`);
    throw new UserError(
      `The configuration cannot be used: ${faults.join("; ")}. See .env.example.`,
    );
  }
  const values = read.data;
  if (values.QUEUE_URL !== undefined) {
    throw new UserError(
      "QUEUE_URL is set, and this version knows only the queue within one process. Unset it and use `serve`.",
    );
  }
  return {
    databaseUrl: values.DATABASE_URL,
    keys: values.GODWIT_KEYS ?? null,
    owners: list(values.GODWIT_OWNERS),
    endpointsAllowed: list(values.GODWIT_ENDPOINTS_ALLOWED),
    quietMs: values.GODWIT_QUIET_SECONDS * 1000,
    logLevel: values.LOG_LEVEL,
  };
}

function list(value: string): string[] {
  return value
    .split(",")
    .map((one) => one.trim())
    .filter((one) => one !== "");
}
