/** A command that was not even noted; `reason` is a sentence, null where the fault is nobody's but ours. */
export function notDone(reason: string | null): string {
  const why = reason ?? "That could not be noted, and the fault is Godwit's; the log says more.";
  return `${why} Nothing was done: type it again then.`;
}

/** A command whose database went away while it ran. */
export function halfDone(reason: string, reference: string | null): string {
  return `${reason} Type \`status\` then, to see what was done; the log says more under the reference ${reference}.`;
}

/** A command that was done, and whose answer could not be written. */
export const untold =
  "That was done, and its answer could not be written. Type `status` when the database answers.";
