import { harmless, UserError } from "../../engine/domain/errors.ts";
import type { Entry, Login, Project } from "../../engine/domain/project.ts";
import type { Endpoint } from "../../engine/domain/provider.ts";
import type { Secret } from "../../engine/domain/secret.ts";
import { type Answer, type Context, command, privately, type Words } from "../command.ts";
import { projectOf, projectOption } from "../linked.ts";
import { readName } from "../mailbox.ts";
import type { Form } from "../message.ts";
import { passwordFrom } from "../variables.ts";

export const endpointSecret = command({
  name: "endpoint secret",
  usage: "endpoint secret <name> [mailbox] [--password-env <VARIABLE>]",
  summary: "asks for a mail server's master password, or for a mailbox's own, in a form",
  role: "operator",
  // A mail server belongs to every project that uses it; a mailbox to its own.
  about: async (words, context) =>
    words.args.length > 1 ? projectOf(words, context) : "all projects",
  group: "Set up",
  examples: [
    "endpoint secret old",
    "endpoint secret new anna@new.example",
    "endpoint secret old --password-env OLD_PASSWORD",
  ],
  options: { "password-env": { value: "<VARIABLE>", machineOnly: true }, ...projectOption },
  parse(words) {
    const { args, options } = words;
    const name = readName("endpoint", args[0], "changed");
    const [, mailbox = null] = args;
    if (args.length > 2 || (mailbox !== null && !/^[^@\s]+@[^@\s]+$/.test(mailbox))) {
      throw new UserError(
        "`endpoint secret` takes the endpoint's name, and a mailbox's address where that has a password of its own. If that was a password, change it: others may have seen it. It is not repeated here and nothing was done.",
      );
    }
    return { name, mailbox, variable: options.get("password-env"), words };
  },
  async run({ name, mailbox, variable, words }, context): Promise<Answer> {
    const endpoint = await context.desk.projects.endpoint(name);
    if (endpoint === null) {
      throw new UserError(
        `There is no endpoint ${name}; nothing was done. Type \`endpoint list\` to see them.`,
      );
    }
    const password =
      variable === undefined ? given(context) : passwordFrom(variable, context.machine);
    return mailbox === null
      ? ofMaster(endpoint, password, context)
      : ofMailbox(endpoint, mailbox, password, words, context);
  },
});

/** The password that a form brought; null where none was sent yet. */
function given({ values }: Context): Secret | null {
  const password = values?.get("password");
  if (password === undefined) return null;
  if (password.reveal() === "" || /[\r\n\0]/.test(password.reveal())) {
    throw new UserError(
      "A password is one line and not empty; nothing was done. Open the form again and type it there.",
    );
  }
  return password;
}

async function ofMaster(
  endpoint: Endpoint,
  password: Secret | null,
  { desk }: Context,
): Promise<Answer> {
  const { name } = endpoint;
  if (endpoint.login !== "master") {
    throw new UserError(
      `${name} logs in with each mailbox's own password; nothing was done. Type \`endpoint secret ${name} <mailbox>\`, or bring them by \`import\`.`,
    );
  }
  if (password === null) {
    return asks({
      title: "Master password",
      intro: `For ${endpoint.masterUser ?? "the master"} at ${name} (${endpoint.host}). It is sealed at once and never shown again.`,
      fields: [{ name: "password", label: "Password", kind: "secret" }],
      submit: "Seal it",
      command: `endpoint secret ${name}`,
      otherwise: `Passwords are not typed into a chat; nothing was done. On the machine Godwit runs on type \`endpoint secret ${name} --password-env OLD_PASSWORD\`.`,
    });
  }
  await desk.projects.setMasterPassword(endpoint.id, password);
  return privately(`The password of ${name} is sealed. Type \`verify\` to try it.`);
}

async function ofMailbox(
  endpoint: Endpoint,
  mailbox: string,
  password: Secret | null,
  words: Words,
  context: Context,
): Promise<Answer> {
  const { name } = endpoint;
  const project = await projectOf(words, context);
  const entry = await entryAt(endpoint, mailbox, project, context);
  if (endpoint.login !== "user") {
    throw new UserError(
      `${name} is opened by its master, not by each mailbox; nothing was done. Type \`endpoint secret ${name}\`.`,
    );
  }
  const about = words.options.has("project") ? ` --project ${project.name}` : "";
  if (password === null) {
    return asks({
      title: "Mailbox password",
      intro: `For ${mailbox} at ${name} (${endpoint.host}). It is sealed at once and never shown again.`,
      fields: [
        {
          name: "user",
          label: "Login name",
          kind: "text",
          hint: "Only where it is not the address",
          optional: true,
        },
        { name: "password", label: "Password", kind: "secret" },
      ],
      submit: "Seal it",
      command: `endpoint secret ${name} ${mailbox}${about}`,
      otherwise: `Passwords are not typed into a chat; nothing was done. On the machine Godwit runs on type \`endpoint secret ${name} ${mailbox} --password-env ANNA_PASSWORD\`.`,
    });
  }
  await context.desk.projects.setLogins([login(endpoint, entry, project, password, context)]);
  return privately(
    `The password of ${mailbox} at ${name} is sealed. Type \`verify ${mailbox}\` to try it.`,
  );
}

function login(
  endpoint: Endpoint,
  entry: Entry,
  project: Project,
  password: Secret,
  { values }: Context,
): Login {
  const typed = values?.get("user")?.reveal().trim() ?? "";
  if (/[\p{Cc}\p{Cf}]/u.test(typed) || typed.length > 320) {
    throw new UserError(
      "That login name holds a control character or is too long; nothing was done. Open the form again.",
    );
  }
  const user = typed === "" ? null : typed;
  const atSource = project.sourceEndpoint.id === endpoint.id;
  return {
    entry: entry.id,
    sourceUser: atSource ? user : null,
    sourcePassword: atSource ? password : null,
    targetUser: atSource ? null : user,
    targetPassword: atSource ? null : password,
  };
}

async function entryAt(
  endpoint: Endpoint,
  mailbox: string,
  project: Project,
  { desk }: Context,
): Promise<Entry> {
  const ends = [project.sourceEndpoint.id, project.targetEndpoint.id];
  const entries = await desk.projects.entries(project.id);
  const found = entries.find((entry) =>
    [entry.source, entry.target].some(
      (name, at) => ends[at] === endpoint.id && name.toLowerCase() === mailbox.toLowerCase(),
    ),
  );
  if (found !== undefined) return found;
  throw new UserError(
    `${project.name} has no mailbox ${harmless(mailbox, 80)} at ${endpoint.name}; nothing was done. Type \`list\` to see them.`,
  );
}

function asks(form: Form): Answer {
  return { say: [{ how: "form", form }] };
}
