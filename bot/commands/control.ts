import { harmless, UserError } from "../../engine/domain/errors.ts";
import type { PassSnapshot } from "../../engine/domain/pass.ts";
import { ringWaiting } from "../../engine/submit.ts";
import { type Answer, type Command, command, privately } from "../command.ts";
import { projectOf, projectOption } from "../linked.ts";
import { passMeant } from "../pass-meant.ts";
import { who } from "../wording/people.ts";
import { hoursLine } from "../wording/root.ts";

type Want = "run" | "pause" | "stop";

export const pause = controlCommand(
  "pause",
  "pause",
  "pauses after the batch under way",
  (n, who) => `${who} pauses after the batch under way. Type \`resume ${n}\` to go on.`,
);

export const resume = controlCommand(
  "resume",
  "run",
  "goes on with what was paused or left behind",
  (n, who) => `${who} goes on. Type \`status ${n}\` to see it.`,
);

export const stop = controlCommand(
  "stop",
  "stop",
  "ends a pass; what was carried stays",
  (n, who) =>
    `${who} stops after the batch under way; what was carried stays. Type \`status ${n}\` to see it.`,
);

function controlCommand(
  name: string,
  want: Want,
  summary: string,
  told: (pass: number, who: string) => string,
): Command {
  return command({
    name,
    usage: `${name} [pass | mailbox] [--project <name>]`,
    summary,
    role: "operator",
    group: "Passes",
    examples: [name, `${name} 7`, `${name} anna@old.example`],
    options: projectOption,
    parse(words) {
      if (words.args.length > 1) {
        throw new UserError(
          `\`${name}\` takes one pass or one mailbox; nothing was done. Type it like \`${name} 7\`.`,
        );
      }
      return { typed: words.args[0] ?? null, words };
    },
    async run({ typed, words }, context): Promise<Answer> {
      const { desk, person } = context;
      const project = await projectOf(words, context);
      const { pass, run } = await passMeant(typed, project, name, context);
      const touched = await desk.passes.control(pass.id, want, who(person), run?.entry);
      if (touched === 0) {
        // Left behind by a process that ended, or under way elsewhere: whoever types this waits for it.
        if (want === "run" && (pass.state === "queued" || pass.state === "processing")) {
          await ringWaiting(desk);
          const how = hoursLine(pass, desk.clock.now()) ?? "goes on";
          const goesOn = `Pass ${pass.id} is not paused and ${how}. Type \`status ${pass.id}\` to see it.`;
          return { ...privately(goesOn), passes: [pass.id] };
        }
        throw new UserError(nothing(name, pass, typed));
      }
      if (want === "run") await ringWaiting(desk);
      const what = run === null ? `Pass ${pass.id}` : `${run.source} in pass ${pass.id}`;
      return {
        ...privately(told(pass.id, what)),
        ...(want === "run" ? { passes: [pass.id] } : {}),
      };
    },
  });
}

function nothing(name: string, pass: PassSnapshot, typed: string | null): string {
  const what = typed === null || /^\d+$/.test(typed) ? `pass ${pass.id}` : harmless(typed, 80);
  return `There is nothing to ${name} in ${what}: it is ${pass.state.replaceAll("_", " ")}. Nothing was done. Type \`status ${pass.id}\` to see it.`;
}
