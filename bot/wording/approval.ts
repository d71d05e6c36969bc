import type { Message } from "../message.ts";

/** A request that waits for a second person. */
export function approvalWaits(n: number, about: Message, by: string, until: string): Message {
  const choice = `Nothing was done. ${by} asked for it; a second person types \`approve ${n}\` or \`deny ${n}\`. The request is kept until ${until}.`;
  return {
    ...about,
    text: `${about.text}\n${choice}`,
    tone: "warning",
    ...(about.title === undefined ? {} : { notes: [...(about.notes ?? []), choice] }),
    buttons: [
      { label: "Approve", command: `approve ${n}`, style: "primary" },
      { label: "Deny", command: `deny ${n}`, style: "danger" },
    ],
  };
}

/** What the request's message becomes once somebody chose. */
export function approvalChosen(
  n: number,
  told: string,
  asker: string,
  chosen: "approve" | "deny",
  by: string,
  at: string,
): Message {
  const done = chosen === "approve" ? "approved" : "denied";
  const nothing = chosen === "deny" ? " Nothing was done." : "";
  return { text: `Request ${n}, ${told}, by ${asker}: ${done} by ${by} at ${at}.${nothing}` };
}

/** The same where it could not be done any more; `reason` null for a fault of ours. */
export function approvalFailed(chosen: Message, reason: string | null): Message {
  const why =
    reason === null
      ? "It went wrong, and the fault is Godwit's; type `status` to see what was done."
      : `It was not done: ${reason}`;
  return { text: `${chosen.text} ${why}`, tone: "bad" };
}

/** Whoever asked has lost the right since. */
export function approvalUnfounded(n: number, told: string, asker: string, role: string): string {
  return `${asker} asked for request ${n} (${told}) and has not the role ${role} any more; nothing was done. Type \`deny ${n}\`, or the command yourself.`;
}

export function approvalGone(n: number): string {
  return `No request ${n} waits here, or it is older than a day. Nothing was done. Whoever wants it types the command again.`;
}

/** What a late press hears. */
export function approvalOver(n: number, what: "approve" | "deny", by: string, at: string): string {
  const done = what === "approve" ? "approved" : "denied";
  return `Request ${n} was ${done} by ${by} at ${at} already; nothing more was done. Type the command again for a new request.`;
}

export function approvalOwn(n: number): string {
  return `You asked for request ${n} yourself: a second person has to approve it. Nothing was done. Type \`deny ${n}\` to take it back.`;
}

export function approvalChanged(n: number, told: string): string {
  return `What request ${n} asked for is not what it would do now (${told}). Nothing was done. Type the command again for a new request.`;
}
