import type { Clock, Instant } from "../engine/domain/clock.ts";
import type { NewsRow } from "../engine/domain/news.ts";
import { ended, type PassId, type PassSnapshot } from "../engine/domain/pass.ts";
import type { Thread } from "../engine/domain/thread.ts";
import type { Desk } from "../engine/submit.ts";
import { editMs, type Pace, paceOf } from "./pace.ts";
import { surfaceOf } from "./speaking.ts";
import { ChatError, type Surface } from "./surface.ts";
import { due, fold, isAloud, isTold } from "./telling.ts";
import { foldedText, newsText } from "./wording/news.ts";
import { rootMessage, rootState } from "./wording/root.ts";

/** Tells what happens in passes: one root message each, edited in place, and replies under it. */
export interface Narrator {
  /**
   * Tells what there is to tell now. One round at a time; it is called again and again. A platform that does
   * not take it is asked again later; what it was to be told waits, in order, and holds up no other channel.
   * Throws the first error that was no platform's, after it has told the rest.
   */
  tick(): Promise<void>;
}

export interface NarratorParts {
  desk: Pick<Desk, "newsroom" | "passes" | "projects">;
  surfaces: Surface[];
  clock: Clock;
  /** The least time between two edits in a channel, in ms; a last edit does not wait. */
  editMs?: number;
  /** Shared by all who speak on these surfaces; one of its own where none is given. */
  pace?: Pace;
  /** The least time between two rounds of news about single mailboxes of a large pass, in ms. */
  foldMs?: number;
  log?: { warn(facts: Record<string, unknown>, text: string): void };
}

/** How a narrator remembers what it said; after a restart it draws once more, and asks what was said before. */
interface Memory {
  /** When it first looked: what is older may have been said by another narrator. */
  since: Instant | null;
  states: Map<PassId, string>;
  told: Map<PassId, Instant>;
  /** What was seen of a pass, and when. */
  seen: Map<PassId, { thread: Thread; runs: number; at: Instant }>;
  /** Keys whose saying had no answer. */
  unsure: Set<string>;
  pace: Pace;
}

/** A pass over more mailboxes than this is looked at no more often than its root message is edited. */
const many = 100;

/** Another process's clock may be this much ahead of ours, in ms. */
const skew = 60_000;

/**
 * Every piece of news is told at least once and in order: it is marked only after it was said, and what may
 * have been said before is looked for by its key where the surface can be asked.
 */
export function makeNarrator(parts: NarratorParts): Narrator {
  const { desk, surfaces, clock, foldMs = 30_000, editMs: betweenMs = editMs } = parts;
  const memory: Memory = {
    since: null,
    states: new Map(),
    told: new Map(),
    seen: new Map(),
    unsure: new Set(),
    pace: parts.pace ?? paceOf(clock, betweenMs),
  };
  return {
    async tick() {
      memory.since ??= clock.now();
      const news = new Map<PassId, NewsRow[]>();
      for (const id of await desk.newsroom.live()) news.set(id, []);
      for (const row of await desk.newsroom.undelivered(5000)) {
        const rows = news.get(row.pass);
        if (rows === undefined) news.set(row.pass, [row]);
        else rows.push(row);
      }
      const errors: unknown[] = [];
      for (const [id, rows] of [...news].sort(([a], [b]) => a - b)) {
        try {
          await tellPass(id, rows);
        } catch (error) {
          errors.push(error);
        }
      }
      if (errors.length > 0) throw errors[0];
    },
  };

  async function tellPass(id: PassId, rows: NewsRow[]): Promise<void> {
    if (!worthALook(id, rows)) return;
    const pass = await desk.passes.snapshot(id);
    memory.seen.set(id, { thread: pass.thread, runs: pass.runs.length, at: clock.now() });
    const surface = surfaceOf(pass.thread, surfaces);
    // Another process may have that surface; until one has, the news waits.
    if (surface === null || !memory.pace.maySpeak(pass.thread)) return;
    try {
      await tell(pass, rows, surface);
      memory.pace.spoke(pass.thread);
    } catch (error) {
      if (!(error instanceof ChatError)) throw error;
      const ms = memory.pace.hold(pass.thread, error);
      parts.log?.warn({ err: error, pass: id, ms }, "a channel took no news; it is asked again");
    }
  }

  /** A look reads every run of the pass: not where nothing could be said of it now. */
  function worthALook(id: PassId, rows: NewsRow[]): boolean {
    const seen = memory.seen.get(id);
    if (seen === undefined || due(rows, seen.runs, isEarly(id)).length > 0) return true;
    if (seen.runs > many && clock.now() - seen.at < betweenMs) return false;
    return memory.pace.mayEdit(seen.thread);
  }

  async function tell(pass: PassSnapshot, rows: NewsRow[], surface: Surface): Promise<void> {
    const root = (await desk.newsroom.root(pass.id)) ?? (await postRoot(pass, surface));
    const last = rows.findIndex((row) => row.news.type === "pass ended");
    await replies(last < 0 ? dueNow(rows, pass) : rows.slice(0, last), pass, root, surface);
    await draw(pass, root, surface, last >= 0);
    if (last < 0) return;
    await replies(rows.slice(last), pass, root, surface);
    memory.states.delete(pass.id);
    memory.told.delete(pass.id);
    memory.seen.delete(pass.id);
  }

  /** Single mailboxes of a large pass are told from time to time, all that came in one. */
  function dueNow(rows: NewsRow[], pass: PassSnapshot): NewsRow[] {
    const now = due(rows, pass.runs.length, isEarly(pass.id));
    if (now.length > 0 && now.some((row) => "entry" in row.news)) {
      memory.told.set(pass.id, clock.now());
    }
    return now;
  }

  function isEarly(id: PassId): boolean {
    const before = memory.told.get(id);
    return before !== undefined && clock.now() - before < foldMs;
  }

  async function postRoot(pass: PassSnapshot, surface: Surface): Promise<Thread> {
    const key = `root:${pass.id}`;
    const before = await saidBefore(pass.thread, key, pass.createdAt, surface);
    const root =
      before ??
      (await saying(key, () => surface.post(pass.thread, rootMessage(pass, clock.now()), key)));
    if (before === null) memory.states.set(pass.id, rootState(pass));
    await desk.newsroom.posted(pass.id, root);
    return root;
  }

  async function draw(
    pass: PassSnapshot,
    root: Thread,
    surface: Surface,
    last: boolean,
  ): Promise<void> {
    const state = rootState(pass);
    if (memory.states.get(pass.id) === state || (!last && ended(pass.state))) return;
    if (!last && !memory.pace.mayEdit(pass.thread)) return;
    try {
      await surface.edit(root, rootMessage(pass, clock.now()));
    } catch (error) {
      // A frame that was not taken is stale by the time it could be; the last one is not, but a root message
      // that somebody deleted cannot hold up the news either.
      if (!(error instanceof ChatError) || (last && error.kind !== "refused")) throw error;
      memory.pace.dropped(pass.thread, error);
      return;
    }
    memory.states.set(pass.id, state);
    memory.pace.edited(pass.thread);
  }

  async function replies(
    rows: NewsRow[],
    pass: PassSnapshot,
    root: Thread,
    surface: Surface,
  ): Promise<void> {
    if (rows.length === 0) return;
    const voice = await desk.projects.voice(pass.thread);
    for (const group of fold(rows, voice)) {
      const [first] = group;
      if (first === undefined) continue;
      const text = !isTold(first, voice)
        ? null
        : group.length > 1
          ? foldedText(group, pass)
          : newsText(first, pass);
      const key = `news:${first.id}`;
      if (text !== null && (await saidBefore(root, key, first.at, surface)) === null) {
        const aloud = isAloud(first, voice);
        await saying(key, () => surface.reply(root, { text }, { key, aloud }));
      }
      if (first.news.type === "pass ended") await surface.ended(root, pass);
      await desk.newsroom.delivered(group.map((row) => row.id));
    }
  }

  /** Where something with this key stands already; asked only when it may have been said. */
  async function saidBefore(
    place: Thread,
    key: string,
    at: Instant,
    surface: Surface,
  ): Promise<Thread | null> {
    const maybe = memory.unsure.has(key) || at < (memory.since ?? 0) + skew;
    return maybe ? surface.find(place, key) : null;
  }

  async function saying<Said>(key: string, work: () => Promise<Said>): Promise<Said> {
    try {
      const said = await work();
      memory.unsure.delete(key);
      return said;
    } catch (error) {
      // It may stand there all the same.
      if (!(error instanceof ChatError) || error.kind === "unreachable") memory.unsure.add(key);
      throw error;
    }
  }
}
