import { createHash } from "node:crypto";
import { UserError } from "../engine/domain/errors.ts";
import type { Project } from "../engine/domain/project.ts";
import type { Answer, Context } from "./command.ts";
import type { Message } from "./message.ts";
import { approvalChanged, approvalWaits } from "./wording/approval.ts";
import { moment } from "./wording/figures.ts";
import { who } from "./wording/people.ts";

/** How long a request waits for somebody. */
const keptFor = 24 * 60 * 60 * 1000;

/** What somebody wants done, for the person who is to approve it. */
export interface Wanted {
  project: Project;
  /** In a line. */
  told: string;
  /** Everything it would do that must not have changed when it is approved. */
  content: unknown;
  /** What there is to know, in full. */
  message: Message;
}

/**
 * Puts a command before a second person where `needed`: answers with the request. Null where it may go on,
 * because nobody else is needed or somebody has approved it; throws `UserError` where what was approved is not
 * what it would do now.
 */
export async function secondPerson(
  needed: boolean,
  { project, told, content, message }: Wanted,
  context: Context,
): Promise<Answer | null> {
  const { approved, asked, channel, desk, person } = context;
  // A channel can be about another project by then, and the same words would mean that one.
  const whole = JSON.stringify([project.id, content]);
  const bound = createHash("sha256").update(whole).digest("hex");
  if (approved !== null) {
    if (approved.bound !== bound) throw new UserError(approvalChanged(approved.n, told));
    return null;
  }
  if (!needed) return null;
  const expiresAt = desk.clock.now() + keptFor;
  const n = await desk.approvals.ask({
    project: project.id,
    channel,
    person: person.id,
    command: { name: asked.name, args: asked.words.args, options: [...asked.words.options] },
    bound,
    told,
    expiresAt,
  });
  const waits = approvalWaits(n, message, who(person), moment(expiresAt, project.zone));
  return {
    say: [{ how: "post", message: waits, key: `approval:${n}` }],
    note: `asks for a second person, request ${n}`,
  };
}
