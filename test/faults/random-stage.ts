import { createHash } from "node:crypto";
import { UnavailableError } from "../../engine/domain/errors.ts";
import type { Item } from "../../engine/domain/item.ts";
import { noFilters } from "../../engine/domain/project.ts";
import type { Interruption, Works } from "../../engine/works.ts";
import { dice } from "../doubles/letters.ts";
import { type MemoryWorld, memoryWorld } from "../doubles/memory-world.ts";
import { letter, twisted } from "../doubles/twisted.ts";
import { compare, type Verdict } from "../servers/checker.ts";
import type { Dump } from "../servers/imap-client.ts";
import {
  lossBy,
  type Trouble,
  troubleBy,
  troubledSource,
  troubledTarget,
} from "./random-faults.ts";

const [old, fresh] = ["anna@old", "anna@new"];
const folders = ["INBOX", "A", "B", "C"];
/** So few that most letters have twins. */
const letterKinds = [0, 1, 2, 3, 4, 5];
const hour = 60 * 60 * 1000;
/** Less than the quiet time: what is lost on its way comes by then. */
const onTheWayMs = 20_000;

/** One mailbox of either system, with trouble between them. */
export interface Stage extends AsyncDisposable {
  world: MemoryWorld;
  trouble: Trouble;
  /** What happened, in its order. */
  story: string[];
  tellsUids: boolean;
  /** One of these, by the dice. */
  pick<T>(some: readonly T[]): T;
  /** What an engine works with. `interrupt` is called where it is to stop. */
  works(interrupt: (why: Interruption) => Promise<void>): Works;
  /** So many letters come to folders of the old mailbox. */
  deliver(count: number): void;
  renumber(side: "source" | "target"): void;
  /** What is on its way to the new mailbox comes now. */
  arrive(): void;
  verdict(): Verdict;
}

/**
 * The seed says whether the target tells its UIDs, whether two folders go to one, how large the batches are, and all
 * that happens then. `naive`: the engine forgets what is in doubt.
 */
export async function openStage(seed: number, naive: boolean): Promise<Stage> {
  await using stack = new AsyncDisposableStack();
  const world = stack.use(await memoryWorld());
  const { system, clock, project } = world;
  const start = clock.now();
  const random = dice(seed);
  const pick = <T>(some: readonly T[]) => some[Math.floor(random() * some.length)]!;
  const tellsUids = random() < 0.6;
  const map: Record<string, string> = random() < 0.3 ? { A: "All", B: "All" } : {};
  const batch = { items: pick([1, 2, 3]), bytes: 1_000_000 };
  const ways = `UIDs ${tellsUids ? "told" : "not told"}, batches of ${batch.items}`;
  const story = [`${ways}, folders mapped: ${Object.keys(map).join(" and ") || "none"}`];
  const trouble = troubleBy(random, (line) => void story.push(line));
  const lost = lossBy(random);
  await world.add("anna");
  await world.godwit.desk.projects.change(project.id, { filters: { ...noFilters, map } });

  let onTheWay: { path: string; item: Item; bytes: Buffer; at: number }[] = [];
  const arrive = (until = Number.POSITIVE_INFINITY) => {
    for (const { path, item, bytes } of onTheWay.filter(({ at }) => at <= until)) {
      system.deliver(fresh, path, bytes, { createdAt: item.createdAt, flags: item.flags });
      story.push(`${path}: a letter comes late`);
    }
    onTheWay = onTheWay.filter(({ at }) => at > until);
  };
  let hidden: { path: string; item: Item; bytes: Buffer }[] = [];
  const hide = (path: string, item: Item, bytes: Buffer) => void hidden.push({ path, item, bytes });
  const stumbles = (path: string) => {
    const shown = hidden.filter((one) => one.path === path);
    hidden = hidden.filter((one) => one.path !== path);
    for (const { item, bytes } of shown) {
      system.deliver(fresh, path, bytes, { createdAt: item.createdAt, flags: item.flags });
      story.push(`${path}: a letter comes into sight`);
    }
    return shown.length > 0;
  };
  const comesLater = (path: string, item: Item, bytes: Buffer) =>
    void onTheWay.push({ path, item, bytes, at: clock.now() + onTheWayMs });

  const opened = stack.move();
  return {
    world,
    trouble,
    story,
    tellsUids,
    pick,
    works(interrupt) {
      const works = twisted(world, {
        source: (source) => troubledSource(source, trouble, lost),
        target: (target) => {
          arrive(clock.now());
          const open = (path: string) => {
            arrive(clock.now());
            return target.open(path);
          };
          return troubledTarget(
            { ...target, open },
            { tellsUids, comesLater, hide, stumbles },
            trouble,
            lost,
          );
        },
      });
      const { ledger, settings } = works;
      return {
        ...works,
        settings: { ...settings, batch },
        ledger: {
          ...ledger,
          intents: (entry) => (naive ? Promise.resolve([]) : ledger.intents(entry)),
          async settle(settlement, fence) {
            if (trouble.strikes("the database is lost before a result is written"))
              throw unavailable();
            await ledger.settle(settlement, fence);
            if (trouble.strikes("the database is lost after a result was written"))
              throw unavailable();
            if (trouble.strikes("the engine shuts down")) await interrupt("shutdown");
            if (trouble.strikes("somebody pauses the pass")) await interrupt("pause");
          },
        },
      };
    },
    deliver(count) {
      for (let n = 0; n < count; n += 1) {
        const kind = pick(letterKinds);
        // Twins are alike in all. Every other kind is too young for a prestage.
        const createdAt = start - (kind % 2 === 0 ? 1 : 240) * hour;
        const [path, flags] = [pick(folders), kind === 0 ? ["\\Seen"] : []];
        system.deliver(old, path, letter(kind), { createdAt, flags });
      }
    },
    renumber(side) {
      const mailbox = side === "source" ? old : fresh;
      const path = pick(system.paths(mailbox));
      system.renumber(mailbox, path);
      story.push(`${path} at the ${side} is numbered anew`);
    },
    arrive,
    verdict: () => compare(dump(world, old), dump(world, fresh), { folder: (at) => map[at] ?? at }),
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  };
}

const unavailable = () => new UnavailableError("the database is away");

function dump({ system }: MemoryWorld, mailbox: string): Dump {
  const sha = (bytes: Buffer) => createHash("sha256").update(bytes).digest("hex");
  return new Map(
    system.paths(mailbox).map((path) => {
      const { uidValidity, uidNext, modseq, letters } = system.folder(mailbox, path);
      const messages = letters.map(({ uid, flags, createdAt, bytes }) => ({
        uid,
        flags,
        internalDate: new Date(createdAt).toISOString(),
        date: createdAt,
        size: bytes.length,
        exact: sha(bytes),
        sha: sha(bytes),
      }));
      return [path, { uidValidity, uidNext, highestModseq: modseq, messages }];
    }),
  );
}
