import type { Ledger } from "../engine/domain/ledger.ts";
import { row } from "./rows.ts";
import { cpuSpent } from "./scale-cpu.ts";
import { printSizes } from "./scale-sizes.ts";
import { type ScaleWorld, scaleWorld } from "./scale-world.ts";

const folders = ["INBOX", "Sent", "Archive", "Projects", "Projects/2019"];
const perFolder = 1000;
const perMailbox = folders.length * perFolder;

/** A message of some 300 bytes: what it weighs is not what is measured here. */
const letter = Buffer.from(`Subject: scale\r\n\r\n${"a line of the message\r\n".repeat(12)}`);

/**
 * Fills a ledger with so many items in two passes, a tenth of them first, and prints what its statements take at
 * either size; then what a delta takes that opens no folder, and one that has to compare all of them.
 */
export async function books(items: number, databaseUrl: string): Promise<void> {
  await using world = await scaleWorld(databaseUrl);
  const { godwit, project, system } = world;
  const { kind } = godwit.database;
  const mailboxes = Math.max(2, Math.round(items / perMailbox));
  const first = Math.max(1, Math.round(mailboxes / 10));
  const own = { sourceUser: null, sourcePassword: null, targetUser: null, targetPassword: null };
  const names = Array.from({ length: mailboxes }, (_, n) => `p${n}@old.example`);
  const entries = names.map((one) => ({
    source: one,
    target: one.replace("old", "new"),
    ...own,
  }));
  await godwit.desk.projects.add(project.id, entries);
  await world.type(`licenses add ${mailboxes} --note "order 1"`);
  const watch = watched(godwit.works.ledger);
  Object.assign(godwit.works, { ledger: watch.ledger });

  for (const name of names) fill(world, name);
  const parts = [names.slice(0, first), names.slice(first)];
  let there = 0;
  for (const some of parts) {
    watch.forget();
    there += some.length * perMailbox;
    await pass(world, `full ${some.join(" ")} --yes`, some.length, `${kind}, up to ${there} items`);
    watch.print();
    await printSizes(godwit.database);
  }
  watch.forget();
  await pass(world, "delta --yes", mailboxes, `${kind}, a delta that opens nothing`);
  watch.print();
  for (const name of names) for (const folder of folders) system.deliver(name, folder, letter);
  watch.forget();
  await pass(world, "delta --yes", mailboxes, `${kind}, a delta with one new mail in each folder`);
  watch.print();
  await commands(world);
}

function fill({ system }: ScaleWorld, name: string): void {
  for (const folder of folders) {
    for (let n = 0; n < perFolder; n += 1) system.deliver(name, folder, letter);
  }
}

async function pass(
  world: ScaleWorld,
  line: string,
  mailboxes: number,
  title: string,
): Promise<void> {
  await world.type(line);
  const began = performance.now();
  const cpu = cpuSpent();
  await world.carried(await world.newest(), 1);
  const { own, database } = cpu();
  const seconds = (performance.now() - began) / 1000;
  const items = mailboxes * perMailbox;
  row(title, "");
  row("---", "---:");
  row("seconds", seconds.toFixed(1));
  row("items a second", Math.round(items / seconds));
  row("CPU ms for 1,000 items, Godwit", ((own * 1000) / items).toFixed(1));
  row("the same, PostgreSQL", ((database * 1000) / items).toFixed(1));
  process.stdout.write("\n");
}

async function commands(world: ScaleWorld): Promise<void> {
  row("with all of it there", "ms", "CPU ms, Godwit", "CPU ms, PostgreSQL");
  row("---", "---:", "---:", "---:");
  for (const line of ["status", "list", "report", "full --dry-run"]) await world.timed(line);
  row("the process at its largest, MB", Math.round(process.resourceUsage().maxRSS / 1024), "", "");
  process.stdout.write("\n");
}

interface Watched {
  ledger: Ledger;
  forget(): void;
  print(): void;
}

/** A ledger that notes how long each of its answers takes. */
function watched(ledger: Ledger): Watched {
  const spent = new Map<string, number[]>();
  const note = (name: string, began: number) => {
    const before = spent.get(name);
    if (before === undefined) spent.set(name, [performance.now() - began]);
    else before.push(performance.now() - began);
  };
  const timed = Object.entries(ledger).map(
    ([name, ask]: [string, (...words: never[]) => unknown]) => [
      name,
      (...words: never[]) => {
        const began = performance.now();
        const answer = ask(...words);
        if (answer instanceof Promise) {
          return answer.finally(() => note(name, began));
        }
        return answer;
      },
    ],
  );
  return {
    ledger: Object.fromEntries(timed) as Ledger,
    forget: () => spent.clear(),
    print() {
      row("the ledger is asked to", "times", "ms each, the middle", "of 20 the slowest");
      row("---", "---:", "---:", "---:");
      for (const [name, all] of spent) {
        const sorted = all.toSorted((a, b) => a - b);
        const at = (part: number) => (sorted[Math.floor(sorted.length * part)] ?? 0).toFixed(1);
        row(`\`${name}\``, all.length, at(0.5), at(0.95));
      }
      process.stdout.write("\n");
    },
  };
}
