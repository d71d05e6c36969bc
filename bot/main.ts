/**
 * The verbs of the command line (docs: README.md). Only here is the environment read.
 */
import { existsSync } from "node:fs";
import { parseArgs } from "node:util";
import { rotateKeys } from "../db/keys.ts";
import { migrate, migrationStatus, openDatabase, rollback } from "../db/open.ts";
import { wallClock } from "../engine/domain/clock.ts";
import { UserError } from "../engine/domain/errors.ts";
import { openSealer } from "../engine/open.ts";
import { makeKey } from "../engine/secrets.ts";
import { type Config, readConfig } from "./config.ts";
import { examine } from "./doctor.ts";
import type { Health } from "./health.ts";
import { type Log, lastWords, logOfProcess } from "./log.ts";
import { openEngine, openStage, type Surroundings } from "./open.ts";
import { runChat } from "./surfaces/local/chat.ts";
import { servePage } from "./surfaces/local/page/serve.ts";
import { runTerminal } from "./surfaces/local/terminal.ts";
import { aborted, stayAlive, untilSignal } from "./until-signal.ts";
import { watchedText } from "./wording/health.ts";
import { boardServedText } from "./wording/queue.ts";
import {
  aloneText,
  migrationText,
  misunderstoodText,
  rotatedText,
  servesText,
  type Typed,
  usageText,
} from "./wording/verbs.ts";

const verbs: Record<string, (words: string[]) => Promise<number>> = {
  serve,
  chat,
  db,
  keys,
  doctor,
  bot,
  engine,
};

const tell = (text: string) => void process.stderr.write(`${text}\n`);
const surroundings = (log: Log): Surroundings => ({ env: (name) => process.env[name], tell, log });
const print = (text: string) => void process.stdout.write(`${text}\n`);

process.exitCode = await main(process.argv.slice(2));

async function main([verb = "", ...words]: string[]): Promise<number> {
  const run = verbs[verb];
  if (run === undefined) {
    (verb === "" || verb === "help" || verb === "--help" ? print : tell)(usageText(verb));
    return verb === "" || verb === "help" || verb === "--help" ? 0 : 1;
  }
  if (words.includes("--help")) {
    print(usageText(""));
    return 0;
  }
  try {
    if (existsSync(".env")) process.loadEnvFile(".env");
    return await run(words);
  } catch (error) {
    // What reaches this place could not start; nothing was carried by it.
    tell(lastWords(error));
    return 1;
  }
}

async function serve(words: string[]): Promise<number> {
  return stay(words, "everything");
}

async function bot(words: string[]): Promise<number> {
  return stay(words, "bot");
}

/** Hears what people type until it is told to stop. */
async function stay(words: string[], part: "everything" | "bot"): Promise<number> {
  const { values } = understand(part === "bot" ? "bot" : "serve", () =>
    parseArgs({ args: words, options: { "no-page": { type: "boolean", default: false } } }),
  );
  const config = readConfig(process.env);
  if (part === "bot") refuseAlone("bot", config);
  const log = logOfProcess(part === "bot" ? "bot" : "serve", config.logLevel);
  await using stage = await openStage(config, part, surroundings(log));
  await using listening = new AsyncDisposableStack();
  const stopping = untilSignal();
  print(servesText(config.databaseUrl, part));
  for (const platform of stage.platforms) {
    listening.use(await platform.listen((heard) => stage.bot.handle(heard)));
    print(`Listens to ${await platform.check()}.`);
  }
  if (stage.platforms.length === 0 && !values["no-page"]) {
    const page = listening.use(
      await servePage({
        transcript: stage.godwit.desk.transcript,
        handle: (heard) => stage.bot.handle(heard),
        port: config.port,
        clock: wallClock,
        log,
      }),
    );
    print(`The page, for this browser alone: ${page.url}`);
  }
  beWatched(stage.health, config);
  if (stage.board !== null) print(boardServedText(stage.board.origin));
  listening.defer(() => stage.health?.stance("closing"));
  print("Type `help`, or `exit` to end.");
  const { asked } = await runTerminal({
    input: process.stdin,
    output: process.stdout,
    prompt: process.stdin.isTTY === true,
    as: null,
    bot: stage.bot,
    transcript: stage.godwit.desk.transcript,
    clock: wallClock,
    signal: stopping,
  });
  // Without a terminal (a service, `< /dev/null`) it goes on until it is told to stop.
  if (!asked && process.stdin.isTTY !== true) await stayAlive(stopping);
  return 0;
}

async function engine(words: string[]): Promise<number> {
  understand("engine", () => parseArgs({ args: words }));
  const config = readConfig(process.env);
  refuseAlone("engine", config);
  const stopping = untilSignal();
  await using engine = await openEngine(
    config,
    surroundings(logOfProcess("engine", config.logLevel)),
  );
  print(servesText(config.databaseUrl, "engine"));
  beWatched(engine.health, config);
  await stayAlive(stopping);
  print("Finishes the batches under way, and ends.");
  return 0;
}

/** Everything it is for works now. */
function beWatched(health: Health | null, { host }: Config): void {
  if (health === null) return;
  health.stance("open");
  print(watchedText(host, health.port));
}

/** A process of its own shares its work by a database and a queue that others reach. */
function refuseAlone(verb: string, { databaseUrl, queueUrl }: Config): void {
  if (!/^sqlite:/i.test(databaseUrl) && queueUrl !== null) return;
  throw new UserError(aloneText(verb));
}

async function chat(words: string[]): Promise<number> {
  const { values, positionals } = understand("chat", () =>
    parseArgs({
      args: words,
      options: {
        as: { type: "string" },
        json: { type: "boolean", default: false },
        "no-wait": { type: "boolean", default: false },
      },
      allowPositionals: true,
    }),
  );
  if (positionals.length === 0) {
    throw new UserError('Nothing to say. Type it like `chat "verify" "prestage 90d --yes"`.');
  }
  const config = readConfig(process.env);
  await using stage = await openStage(
    config,
    "typing",
    surroundings(logOfProcess("chat", config.logLevel)),
  );
  const talking = runChat({
    commands: positionals,
    as: values.as ?? null,
    json: values.json,
    wait: !values["no-wait"],
    print,
    tell,
    bot: stage.bot,
    transcript: stage.godwit.desk.transcript,
    passes: stage.godwit.desk.passes,
    clock: wallClock,
  });
  return await Promise.race([talking, aborted(untilSignal()).then(() => 1)]);
}

async function db([what = "", ...rest]: string[]): Promise<number> {
  const sure = what === "rollback" && rest.length === 1 && rest[0] === "--yes";
  if ((rest.length > 0 && !sure) || !["latest", "rollback", "status"].includes(what)) {
    throw new UserError("Type `db latest`, `db rollback` or `db status`.");
  }
  await using database = await openDatabase(readConfig(process.env).databaseUrl);
  if (what === "latest") await migrate(database);
  if (what === "rollback") await rollback(database, { evenIfCarried: sure });
  for (const { name, done, newer } of await migrationStatus(database)) {
    print(migrationText(name, done, newer));
  }
  return 0;
}

async function keys([what = "", ...rest]: string[]): Promise<number> {
  if (rest.length > 0 || !["new", "rotate"].includes(what)) {
    throw new UserError("Type `keys new` or `keys rotate`.");
  }
  if (what === "new") {
    print(makeKey());
    return 0;
  }
  const config = readConfig(process.env);
  await using database = await openDatabase(config.databaseUrl);
  await migrate(database);
  const sealed = await rotateKeys(
    database,
    await openSealer({ keys: config.keys, tell }, database),
  );
  print(rotatedText(sealed));
  return 0;
}

async function doctor(words: string[]): Promise<number> {
  understand("doctor", () => parseArgs({ args: words }));
  return (await examine(() => readConfig(process.env), print)) ? 0 : 1;
}

/** Words of a verb, or a `UserError` that says what is wrong with them and what to type. */
function understand<Parsed>(verb: Typed, parsing: () => Parsed): Parsed {
  try {
    return parsing();
  } catch (error) {
    throw new UserError(misunderstoodText(verb, error instanceof Error ? error.message : ""));
  }
}
