import { harmless, UserError } from "../../engine/domain/errors.ts";
import { type Role, roles as ranks } from "../../engine/domain/people.ts";
import { type Answer, type Context, command, privately, publicly } from "../command.ts";
import { projectOf, projectOption } from "../linked.ts";
import { columns } from "../wording/figures.ts";
import { who } from "../wording/people.ts";

export const roles = command({
  name: "roles",
  usage: "roles [--project <name>]",
  summary: "shows who may do what in a project",
  role: "viewer",
  group: "Look",
  examples: ["roles"],
  options: projectOption,
  parse(words) {
    if (words.args.length > 0) {
      throw new UserError(
        "Nothing was done. Type `roles`, `roles grant <person> viewer|operator|owner` or `roles revoke <person>`.",
      );
    }
    return words;
  },
  async run(words, context) {
    const project = await projectOf(words, context);
    const { desk, options } = context;
    const grants = await desk.people.grants(project.id);
    const head = ["who", "role", "given by"];
    const rows = [
      ...(await Promise.all(
        options.owners.map(async (id) => [await named(id, context), "owner", "the configuration"]),
      )),
      ...(await Promise.all(
        grants.map(async (one) => [
          await named(one.person, context),
          one.role,
          await named(one.by, context),
        ]),
      )),
    ];
    return privately({
      text: `Roles in ${project.name}\n${columns([head, ...rows])}\nviewer looks, operator runs passes, owner gives roles and licenses; everybody else can only ask for help. Type \`roles grant <person> operator\`.`,
      title: `Roles in ${project.name}`,
      table: { columns: head, rows },
      notes: [
        "viewer looks, operator runs passes, owner gives roles and licenses; everybody else can only ask for help.",
        "Type `roles grant <person> operator`.",
      ],
    });
  },
});

export const rolesGrant = command({
  name: "roles grant",
  usage: "roles grant <person> viewer|operator|owner [--project <name>]",
  summary: "gives somebody a role in a project, by mention, e-mail or identity",
  role: "owner",
  group: "Set up",
  examples: ["roles grant @bo operator", "roles grant bo@example.com viewer"],
  options: projectOption,
  parse(words) {
    const [typed, rank, ...rest] = words.args;
    const role = ranks.find((one) => one === rank?.toLowerCase());
    if (typed === undefined || role === undefined || rest.length > 0) {
      throw new UserError(
        "Who, and which role? Nothing was changed. Type `roles grant @bo operator`; the roles are viewer, operator and owner.",
      );
    }
    return { typed, role, words };
  },
  async run({ typed, role, words }, context): Promise<Answer> {
    const project = await projectOf(words, context);
    const person = await someone(typed, context);
    if (person.guest && role !== "viewer") {
      throw new UserError(
        `${who(person)} is a guest or of another organisation and can only look; nothing was changed. Type \`roles grant ${harmless(typed, 60)} viewer\`.`,
      );
    }
    if (!person.id.startsWith("local:")) await context.desk.people.met(person);
    await context.desk.people.grant(project.id, person.id, role, context.person.id);
    return publicly(
      `${who(person)} is now ${article(role)} ${role} of ${project.name} (by ${who(context.person)}).`,
    );
  },
});

export const rolesRevoke = command({
  name: "roles revoke",
  usage: "roles revoke <person> [--project <name>]",
  summary: "takes somebody's role in a project away",
  role: "owner",
  group: "Set up",
  examples: ["roles revoke @bo"],
  options: projectOption,
  parse(words) {
    const [typed] = words.args;
    if (typed === undefined || words.args.length > 1) {
      throw new UserError("Whose? Nothing was changed. Type `roles revoke @bo`.");
    }
    return { typed, words };
  },
  async run({ typed, words }, context): Promise<Answer> {
    const project = await projectOf(words, context);
    const { desk } = context;
    // Somebody who left the platform is no longer found there, but has the role all the same.
    const grants = await desk.people.grants(project.id);
    const left = grants.find((one) => one.person === typed);
    const id = left?.person ?? (await someone(typed, context)).id;
    if (!grants.some((one) => one.person === id)) {
      throw new UserError(
        `${await named(id, context)} has no role in ${project.name} that could be taken away; nothing was changed. Type \`roles\` to see them.`,
      );
    }
    await desk.people.grant(project.id, id, null, context.person.id);
    return publicly(
      `${await named(id, context)} has no role in ${project.name} any more (by ${who(context.person)}).`,
    );
  },
});

async function someone(typed: string, { lookUp }: Context) {
  const person = await lookUp(typed);
  if (person !== null) return person;
  throw new UserError(
    `Nobody is known by ${harmless(typed, 60)}; nothing was changed. Mention the person, or type their e-mail address; at this machine a name like \`bo\`.`,
  );
}

/** Somebody's name, with the identity behind it where that says more. */
async function named(id: string, { desk }: Pick<Context, "desk">): Promise<string> {
  const name = harmless(await desk.people.name(id), 60);
  return name === id ? id : `${name} (${id})`;
}

function article(role: Role): string {
  return role === "viewer" ? "a" : "an";
}
