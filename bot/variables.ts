import { UserError } from "../engine/domain/errors.ts";
import { Secret } from "../engine/domain/secret.ts";
import type { Machine } from "./command.ts";

const own = [
  "GODWIT_*",
  "DATABASE_URL",
  "QUEUE_URL",
  "SLACK_*",
  "MICROSOFT_*",
  "LOG_LEVEL",
  "TEAMS_PORT",
  "NODE_*",
  "NPM_*",
  "PATH",
  "HOME",
  "USER",
  "PWD",
  "SHELL",
];

/** The password a named variable holds. Throws `UserError` that names the variable, never its value. */
export function passwordFrom(name: string, machine: Machine): Secret {
  // Somebody may have typed the password itself: what does not look like a variable is not repeated.
  const shown = shownVariable(name);
  if (!/^[A-Za-z_]\w*$/.test(name)) {
    throw new UserError(
      "What was given is not the name of a variable; it is not repeated here. Write it like OLD_PASSWORD.",
    );
  }
  if ([...own, ...machine.ownVariables].some((pattern) => covers(pattern, name))) {
    throw new UserError(
      `The variable ${shown} belongs to Godwit or to this machine and holds no mail password. Use one of its own, like OLD_PASSWORD.`,
    );
  }
  const value = machine.env(name);
  if (value === undefined || value === "") {
    throw new UserError(
      `The variable ${shown} is ${value === undefined ? "not set" : "empty"}. Type \`export ${shown === "named" ? "NAME" : name}=…\` in the shell first.`,
    );
  }
  if (/[\r\n\0]/.test(value)) {
    throw new UserError(`The variable ${shown} holds a line break, which no mail password has.`);
  }
  return new Secret(value);
}

/** A variable's name as it may be shown: in capitals, or not at all. */
export function shownVariable(name: string): string {
  return /^[A-Z_][A-Z0-9_]{0,63}$/.test(name) ? name : "named";
}

function covers(pattern: string, name: string): boolean {
  const upper = name.toUpperCase();
  return pattern.endsWith("*") ? upper.startsWith(pattern.slice(0, -1)) : upper === pattern;
}
