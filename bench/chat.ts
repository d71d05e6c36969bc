/**
 * How long people in Slack wait while an engine in the same process works at full speed: commands as signed
 * requests, from sending them to their acknowledgement and to their answer. The workspace is a fake on this
 * machine, the mail servers are real.
 *   npm run bench:chat -- [mailboxes] [messages each]
 */
import { setTimeout as delay } from "node:timers/promises";
import { makeBot } from "../bot/bot.ts";
import { commands } from "../bot/commands/table.ts";
import { startNarrating } from "../bot/narrating.ts";
import { makeNarrator } from "../bot/narrator.ts";
import { openSlack } from "../bot/surfaces/slack/open.ts";
import { wallClock } from "../engine/domain/clock.ts";
import { ended } from "../engine/domain/pass.ts";
import { Secret } from "../engine/domain/secret.ts";
import { engineDefaults, startEngine } from "../engine/engine.ts";
import { startDovecot } from "../test/servers/dovecot.ts";
import { botToken, startFakeSlack } from "../test/servers/slack.ts";
import { httpWire, signingSecret } from "../test/servers/slack-wire.ts";
import { startWorld } from "../test/servers/world.ts";

const mailboxes = Number(process.argv[2] ?? 8);
const messages = Number(process.argv[3] ?? 4000);
const port = 40_000 + (process.pid % 20_000);
const quiet = { debug() {}, info() {}, warn() {}, error() {} };

await using old = await startDovecot();
await using fresh = await startDovecot();
const names = Array.from({ length: mailboxes }, (_, n) => `p${n}`);
for (const name of names) {
  await using client = await old.login(`${name}@old.example`);
  await client.appendMany(
    "INBOX",
    Array.from({ length: messages }, (_, n) => ({ body: `Subject: ${n}\r\n\r\nletter ${n}\r\n` })),
  );
}
await using world = await startWorld(old, fresh, { licenses: mailboxes });
await world.add(...names);
await using slack = await startFakeSlack();
const { desk, works, seats } = world.godwit;
await desk.projects.link("slack:C0ACME", world.project.id);
const platform = await openSlack({
  botToken: new Secret(botToken),
  appToken: null,
  signingSecret: new Secret(signingSecret),
  host: "127.0.0.1",
  port,
  apiUrl: slack.apiUrl,
  log: quiet,
  clock: wallClock,
});
const bot = makeBot({
  desk,
  surfaces: [platform.surface],
  commands,
  machine: { env: () => undefined, readFile: () => Promise.reject(new Error()), ownVariables: [] },
  options: { owners: ["slack:U0ANA"], endpointsAllowed: [] },
  log: quiet,
});
await using _listening = await platform.listen((heard) => bot.handle(heard));
const narrator = makeNarrator({ desk, surfaces: [platform.surface], clock: wallClock });
await using _telling = startNarrating([narrator], "narrator-slack", seats, wallClock, quiet);
await using _engine = startEngine({ ...works, log: quiet }, desk.queue, engineDefaults);

const ana = slack.person("U0ANA", httpWire(`http://127.0.0.1:${port}/slack/events`));
const began = performance.now();
await ana.command("full --yes");
const acknowledged: number[] = [];
const answered: number[] = [];
for (;;) {
  const [pass] = await desk.passes.recent(world.project.id, 1);
  if (pass !== undefined && ended(pass.state)) {
    const seconds = (performance.now() - began) / 1000;
    const rate = Math.round(pass.counters.migrated / seconds);
    process.stdout.write(
      `${pass.counters.migrated} messages of ${mailboxes} mailboxes carried meanwhile, ${rate} a second\n`,
    );
    break;
  }
  const said = slack.state.messages.length;
  const sent = performance.now();
  await ana.command("licenses");
  acknowledged.push(performance.now() - sent);
  while (slack.state.messages.length === said) await delay(1);
  answered.push(performance.now() - sent);
  await delay(20);
}
tell("acknowledged", acknowledged);
tell("answered", answered);

function tell(what: string, times: number[]): void {
  const sorted = times.toSorted((a, b) => a - b);
  const at = (part: number) =>
    Math.round(sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? 0);
  process.stdout.write(
    `${sorted.length} commands ${what}: median ${at(0.5)} ms, 99th percentile ${at(0.99)} ms, longest ${at(1)} ms\n`,
  );
}
