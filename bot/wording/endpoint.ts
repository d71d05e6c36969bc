import type { ChangedEndpoint } from "../../engine/domain/project.ts";
import type { Endpoint } from "../../engine/domain/provider.ts";
import type { Message } from "../message.ts";
import { columns, count } from "./figures.ts";

/** Where it is and how one logs in there. */
export function told(endpoint: Endpoint): string {
  const security = { tls: "TLS", starttls: "STARTTLS", none: "without TLS" }[endpoint.security];
  const login =
    endpoint.login === "master"
      ? `logs in as master ${endpoint.masterUser ?? ""} (${endpoint.masterFormat})`
      : "logs in with each mailbox's own password";
  const trust =
    endpoint.fingerprint !== null
      ? ", one certificate trusted"
      : endpoint.ca !== null
        ? ", its own authority trusted"
        : "";
  const host = endpoint.host.includes(":") ? `[${endpoint.host}]` : endpoint.host;
  return `${host}:${endpoint.port}, ${security}${trust}, ${login}`;
}

/** What to type where it has no password; else nothing. */
export function missing(endpoint: Endpoint): string {
  if (endpoint.login !== "master" || endpoint.masterPassword !== null) return "";
  return ` Its password is missing: type \`endpoint secret ${endpoint.name}\`.`;
}

/** What became of an endpoint that was changed, and what to type next. */
export function endpointChanged({ was, is, carried }: ChangedEndpoint): Message {
  const changed = Object.entries(parts)
    .filter(([, keys]) => keys.some((key) => was[key] !== is[key]))
    .map(([name]) => name);
  if (changed.length === 0 && was.inward === is.inward) {
    return { text: `Endpoint ${is.name} is that already: ${told(is)}. Nothing was changed.` };
  }
  const title =
    changed.length === 0
      ? `Endpoint ${is.name} stays where it is.`
      : `Endpoint ${is.name} has another ${changed.join(", another ")}.`;
  const facts = { before: told(was), now: told(is) };
  const notes = [password(was, is)];
  if (!was.inward && is.inward) notes.push("It may lead into private networks now.");
  if (was.inward && !is.inward) {
    notes.push("It may not lead into private networks, for it was named from a chat.");
  }
  if (carried) notes.push("What was carried stays noted: this has to be the same mail system.");
  return {
    text: [title, columns(Object.entries(facts)), ...notes].join("\n"),
    title,
    facts,
    notes,
  };
}

/** What of an endpoint can be changed, as it is called. */
const parts: Record<string, (keyof Endpoint)[]> = {
  address: ["host", "port", "security"],
  "master's name": ["masterUser"],
  "master format": ["masterFormat"],
  authority: ["ca"],
  "pinned certificate": ["fingerprint"],
};

function password(was: Endpoint, is: Endpoint): string {
  const type = `\`endpoint secret ${is.name}\``;
  if (was.masterPassword !== null && is.masterPassword === null) {
    return `Its password was forgotten, for a change from a chat could lead it elsewhere: type ${type}.`;
  }
  if (missing(is) !== "") return missing(is).trim();
  const other =
    was.masterUser === is.masterUser ? "" : ` If this master has another, type ${type}.`;
  const stays =
    is.login === "master" ? "Its password stays." : "The passwords of its mailboxes stay.";
  return `${stays}${other} Type \`verify\` to try it.`;
}

/** Why a change from a chat is refused where mailboxes have passwords of their own. */
export function ledElsewhere(name: string, passwords: number): string {
  const whose =
    passwords === 1
      ? "1 mailbox has a password of its own"
      : `${count(passwords, "mailbox", "mailboxes")} have passwords of their own`;
  return `At ${name} ${whose}, which a change from a chat could lead elsewhere; nothing was changed. On the machine Godwit runs on type \`npm run -s godwit -- chat 'endpoint set ${name} …'\`.`;
}
