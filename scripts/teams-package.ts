import { readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { parseArgs } from "node:util";
import { crc32 } from "node:zlib";
import { z } from "zod";

const usage = `node scripts/launch.mjs scripts/teams-package.ts --app-id <app id> [--host <public host>] [--slash] [--out <file>]

  --slash   /migrate beside the mention, in tenants that have slash commands for agents; needs a newer schema.`;

/** The first schema that knows messages for one person, and with them slash commands. */
const newerSchema = {
  $schema:
    "https://developer.microsoft.com/json-schemas/teams/vDevPreview/MicrosoftTeams.schema.json",
  manifestVersion: "devPreview",
};

const Options = z.object({
  appId: z.guid({ error: "--app-id is the application id of the bot, like 1f2e…-…." }),
  host: z
    .string()
    .regex(/^[a-z0-9-]+(\.[a-z0-9-]+)+$/i, "--host is a name alone, like bot.example.com.")
    .optional(),
  slash: z.boolean().default(false),
});

const Template = z.looseObject({
  bots: z.tuple([
    z.looseObject({
      botId: z.string(),
      commandLists: z.tuple([z.looseObject({ commands: z.array(z.object({}).loose()).max(10) })]),
    }),
  ]),
});

const folder = path.join(import.meta.dirname, "../docs/teams");

if (import.meta.main) await main();

async function main(): Promise<void> {
  try {
    const { values } = parseArgs({
      options: {
        "app-id": { type: "string" },
        host: { type: "string" },
        slash: { type: "boolean" },
        out: { type: "string", default: "godwit-teams.zip" },
      },
    });
    const options = Options.parse({ ...values, appId: values["app-id"] });
    await writeFile(values.out, await teamsPackage(options));
    process.stdout.write(`${values.out} is ready. Upload it in Teams: Apps, Manage your apps.\n`);
  } catch (error) {
    const why = error instanceof z.ZodError ? error.issues[0]?.message : (error as Error).message;
    process.stderr.write(`${why}\n\n${usage}\n`);
    process.exitCode = 2;
  }
}

async function teamsPackage(options: z.infer<typeof Options>): Promise<Buffer> {
  const read = (name: string) => readFile(path.join(folder, name));
  const template = Template.parse(JSON.parse((await read("manifest.template.json")).toString()));
  const manifest = Buffer.from(`${JSON.stringify(manifestOf(template, options), null, 2)}\n`);
  return zip([
    { name: "manifest.json", content: manifest },
    { name: "color.png", content: await read("color.png") },
    { name: "outline.png", content: await read("outline.png") },
  ]);
}

function manifestOf(template: z.infer<typeof Template>, options: z.infer<typeof Options>) {
  const { appId, host, slash } = options;
  const [bot] = template.bots;
  const [list] = bot.commandLists;
  const own = slash
    ? {
        supportsTargetedMessages: true,
        commandLists: [{ ...list, triggers: ["mention", "slash"] }],
      }
    : {};
  return {
    ...template,
    ...(slash ? newerSchema : {}),
    id: appId,
    bots: [{ ...bot, botId: appId, ...own }],
    validDomains: host === undefined ? [] : [host],
  };
}

/** An archive of files that are not packed: three small ones need no packing. */
function zip(files: { name: string; content: Buffer }[]): Buffer {
  const parts: Buffer[] = [];
  const index: Buffer[] = [];
  let at = 0;
  for (const { name, content } of files) {
    const title = Buffer.from(name);
    // Version, flags (names are UTF-8), stored, a fixed day: the same input gives the same archive.
    const common = Buffer.alloc(26);
    common.writeUInt16LE(20, 0);
    common.writeUInt16LE(0x0800, 2);
    common.writeUInt16LE(0x5c21, 8);
    common.writeUInt32LE(crc32(content), 10);
    common.writeUInt32LE(content.length, 14);
    common.writeUInt32LE(content.length, 18);
    common.writeUInt16LE(title.length, 22);
    const tail = Buffer.alloc(14);
    tail.writeUInt32LE(at, 10);
    index.push(Buffer.from("PK\x01\x02\x14\x00", "latin1"), common, tail, title);
    const local = [Buffer.from("PK\x03\x04"), common, title, content];
    parts.push(...local);
    at += local.reduce((sum, part) => sum + part.length, 0);
  }
  const size = index.reduce((sum, part) => sum + part.length, 0);
  const end = Buffer.alloc(22);
  end.write("PK\x05\x06", "latin1");
  end.writeUInt16LE(files.length, 8);
  end.writeUInt16LE(files.length, 10);
  end.writeUInt32LE(size, 12);
  end.writeUInt32LE(at, 16);
  return Buffer.concat([...parts, ...index, end]);
}
