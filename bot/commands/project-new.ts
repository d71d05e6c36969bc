import { IANAZone } from "luxon";
import { harmless, UserError } from "../../engine/domain/errors.ts";
import { presets } from "../../engine/domain/policy.ts";
import type { Desk } from "../../engine/submit.ts";
import { aboutAll, command, publicly } from "../command.ts";
import { readName } from "../mailbox.ts";
import { nearest } from "../nearest.ts";
import { preset } from "../policy-settings.ts";
import { who } from "../wording/people.ts";
import { policyText } from "../wording/policy.ts";

export const projectNew = command({
  name: "project new",
  usage:
    "project new <name> --from <endpoint> --to <endpoint> [--policy rackspace|bittitan|cloudiway] [--zone Europe/Berlin]",
  summary: "makes a project of two endpoints; links this channel to it when it has none",
  role: "owner",
  about: aboutAll,
  group: "Set up",
  examples: ["project new acme --from old --to new --zone Europe/Berlin"],
  options: {
    from: { value: "<endpoint>" },
    to: { value: "<endpoint>" },
    policy: { value: "rackspace|bittitan|cloudiway" },
    zone: { value: "Europe/Berlin" },
  },
  parse({ args, options }) {
    const name = readName("project", args[0]);
    if (args.length > 1) {
      throw new UserError(
        "A project has one name; nothing was made. Type `project new acme --from old --to new`.",
      );
    }
    const from = options.get("from");
    const to = options.get("to");
    if (from === undefined || to === undefined) {
      throw new UserError(
        `A project needs both ends; nothing was made. Type \`project new ${name} --from <endpoint> --to <endpoint>\`; \`endpoint list\` shows the endpoints.`,
      );
    }
    return {
      name,
      from,
      to,
      policy: preset(options.get("policy") ?? "rackspace"),
      zone: readZone(options.get("zone") ?? "UTC"),
    };
  },
  async run(args, { desk, channel, person }) {
    const source = await endpointNamed(args.from, desk);
    const target = await endpointNamed(args.to, desk);
    const project = await desk.projects.create({
      name: args.name,
      sourceEndpoint: source.id,
      targetEndpoint: target.id,
      policy: presets[args.policy],
      zone: args.zone,
    });
    const linked = await desk.projects.linked(channel);
    if (linked === null) await desk.projects.link(channel, project.id);
    const about =
      linked === null
        ? "This channel is now about it."
        : `This channel stays with ${linked.name}; type \`link ${project.name}\` to change that.`;
    return publicly({
      text: `Project ${project.name}, from ${source.name} to ${target.name}, times in ${project.zone} (by ${who(person)}). ${about}\n  policy: ${policyText(project.policy)}\n  Next: \`add <source> <target>\` or \`import <file.csv>\`, and \`licenses add <n> --note "order number"\`.`,
    });
  },
});

/** An IANA time zone, or a refusal that shows one. */
export function readZone(text: string): string {
  if (text.length <= 64 && IANAZone.isValidZone(text)) return text;
  throw new UserError(
    `“${harmless(text, 40)}” is no time zone; nothing was changed. Write it like Europe/Berlin or UTC.`,
  );
}

async function endpointNamed(name: string, desk: Desk) {
  const endpoint = await desk.projects.endpoint(name);
  if (endpoint !== null) return endpoint;
  const names = (await desk.projects.endpoints()).map((one) => one.name);
  const near = nearest(name, names);
  throw new UserError(
    `There is no endpoint ${harmless(name, 64)}; nothing was made. ${near === null ? "Type `endpoint list` to see them, `endpoint new` to make one." : `Did you mean ${near}?`}`,
  );
}
