import type { PassId } from "../engine/domain/pass.ts";
import { text } from "../test/servers/person.ts";
import { row } from "./rows.ts";
import { cpuSpent } from "./scale-cpu.ts";
import { printSizes } from "./scale-sizes.ts";
import { type ScaleWorld, scaleWorld } from "./scale-world.ts";

const folders = ["INBOX", "Sent", "Archive"];
const perFolder = 3;

/** One project of so many small mailboxes from its CSV file to its end and a delta over all of it. */
export async function project(
  mailboxes: number,
  engines: number,
  databaseUrl: string,
): Promise<void> {
  await using world = await scaleWorld(databaseUrl);
  const { godwit, file, system } = world;
  const names = Array.from({ length: mailboxes }, (_, n) => `p${n}@old.example`);
  for (const name of names) {
    for (const folder of folders) {
      for (let n = 0; n < perFolder; n += 1) {
        system.deliver(name, folder, Buffer.from(text(`${name} ${folder} ${n}`)));
      }
    }
  }
  const lines = names.map((one) => `${one},${one.replace("old", "new")}`);
  file.text = ["source,target", ...lines].join("\n");
  const { kind } = godwit.database;
  const title = `${kind}, ${mailboxes} mailboxes of ${folders.length * perFolder} mails, ${engines} engines`;
  head(title);
  await world.timed("import mailboxes.csv");
  await world.timed("import mailboxes.csv", "the same file again");
  await world.type(`licenses add ${mailboxes} --note "order 1"`);
  await world.timed("full --dry-run", "plan with its forecast");
  await world.timed("full --yes", "start");
  const full = await world.newest();
  await world.timed(`pause ${full}`, "pause");
  await world.timed(`resume ${full}`, "resume");

  await carried(world, full, engines, mailboxes);
  await looks(world);
  if (engines === 1) {
    await world.timed("delta --yes", "start of a delta");
    await carried(world, await world.newest(), engines, mailboxes);
    await looks(world);
    await printSizes(godwit.database);
  }
}

function head(title: string): void {
  row(title, "ms", "CPU ms, Godwit", "CPU ms, PostgreSQL");
  row("---", "---:", "---:", "---:");
}

/** Carries the pass, and prints its pace by tenths, what is typed half way, and what the channel was told. */
async function carried(
  world: ScaleWorld,
  pass: PassId,
  engines: number,
  mailboxes: number,
): Promise<void> {
  const { knex } = world.godwit.database;
  const { told } = world;
  Object.assign(told, { posts: 0, edits: [], replies: 0 });
  process.stdout.write("\n");
  row(`mailboxes done in pass ${pass}`, "a second", "CPU ms each, Godwit", "the same, PostgreSQL");
  row("---:", "---:", "---:", "---:");
  let [at, then, cpu] = [0, performance.now(), cpuSpent()];
  let next = mailboxes / 10;
  await world.carried(pass, engines, async () => {
    const rows = await knex("runs").where({ pass_id: pass, state: "completed" }).count({ n: "*" });
    const done = Number(rows[0]?.n ?? 0);
    if (done < Math.floor(next)) return;
    next += mailboxes / 10;
    const [count, seconds, { own, database }] = [
      done - at,
      (performance.now() - then) / 1000,
      cpu(),
    ];
    const each = [count / seconds, own / count, database / count];
    row(done, ...each.map((one) => one.toFixed(1)));
    [at, then, cpu] = [done, performance.now(), cpuSpent()];
  });
  process.stdout.write("\n");
  row("root messages, edits, replies", `${told.posts}, ${told.edits.length}, ${told.replies}`);
  row("---", "---:");
  row("most edits in a minute", mostInAMinute(told.edits));
  const news = await knex("news").where({ pass_id: pass }).count({ n: "*" });
  row("rows of news", Number(news[0]?.n ?? 0));
  row("the process at its largest, MB", Math.round(process.resourceUsage().maxRSS / 1024));
  process.stdout.write("\n");
}

/** What is typed when it is over. */
async function looks(world: ScaleWorld): Promise<void> {
  head("typed when it is over");
  for (const line of ["status", "list", "report", "licenses", "licenses report"]) {
    await world.timed(line);
  }
  const { desk } = world.godwit;
  const [began, cpu] = [performance.now(), cpuSpent()];
  await desk.passes.snapshot(await world.newest());
  const { own, database } = cpu();
  const ms = performance.now() - began;
  row("a look of the narrator", ...[ms, own, database].map(Math.round));
  process.stdout.write("\n");
}

function mostInAMinute(moments: Date[]): number {
  const within = moments.map(
    (from) => moments.filter((at) => +at >= +from && +at - +from < 60_000).length,
  );
  return Math.max(0, ...within);
}
