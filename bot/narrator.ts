import type { Clock, Instant } from "../engine/domain/clock.ts";
import type { NewsRow } from "../engine/domain/news.ts";
import { ended, type PassId, type PassSnapshot } from "../engine/domain/pass.ts";
import type { Thread } from "../engine/domain/thread.ts";
import type { Desk } from "../engine/submit.ts";
import type { Surface } from "./surface.ts";
import { foldedText, newsText } from "./wording/news.ts";
import { rootMessage, rootState } from "./wording/root.ts";

/** Tells what happens in passes: one root message each, edited in place, and replies under it. */
export interface Narrator {
  /** Tells what there is to tell now. One round at a time; it is called again and again. */
  tick(): Promise<void>;
}

export interface NarratorParts {
  desk: Pick<Desk, "newsroom" | "passes">;
  surfaces: Surface[];
  clock: Clock;
  /** The least time between two edits in a channel, in ms; a last edit does not wait. */
  editMs?: number;
}

/** More pieces of news of one kind than this, come together, are told in one. */
const foldOver = 5;

/** How a narrator remembers what it drew; after a restart it draws once more. */
interface Drawn {
  states: Map<PassId, string>;
  edits: Map<Thread, Instant>;
}

/**
 * Every piece of news is told at least once and in order: it is marked only after it was said, and what was
 * said before a crash is found again by its key where the surface can be asked.
 */
export function makeNarrator({ desk, surfaces, clock, editMs = 5_000 }: NarratorParts): Narrator {
  const drawn: Drawn = { states: new Map(), edits: new Map() };
  return {
    async tick() {
      const news = new Map<PassId, NewsRow[]>();
      for (const id of await desk.newsroom.live()) news.set(id, []);
      for (const row of await desk.newsroom.undelivered(1000)) {
        const rows = news.get(row.pass);
        if (rows === undefined) news.set(row.pass, [row]);
        else rows.push(row);
      }
      for (const [id, rows] of [...news].sort(([a], [b]) => a - b)) {
        const pass = await desk.passes.snapshot(id);
        const surface = surfaces.find((one) => pass.thread.startsWith(`${one.name}:`));
        // Another process may have that surface; until one has, the news waits.
        if (surface !== undefined) await tell(pass, rows, surface);
      }
    },
  };

  async function tell(pass: PassSnapshot, rows: NewsRow[], surface: Surface): Promise<void> {
    const root = (await desk.newsroom.root(pass.id)) ?? (await postRoot(pass, surface));
    const last = rows.findIndex((row) => row.news.type === "pass ended");
    await replies(last < 0 ? rows : rows.slice(0, last), pass, root, surface);
    await draw(pass, root, surface, last >= 0);
    if (last < 0) return;
    await replies(rows.slice(last), pass, root, surface);
    drawn.states.delete(pass.id);
  }

  async function postRoot(pass: PassSnapshot, surface: Surface): Promise<Thread> {
    const key = `root:${pass.id}`;
    const before = await surface.find(pass.thread, key);
    const root = before ?? (await surface.post(pass.thread, rootMessage(pass, clock.now()), key));
    if (before === null) drawn.states.set(pass.id, rootState(pass));
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
    if (drawn.states.get(pass.id) === state || (!last && ended(pass.state))) return;
    const now = clock.now();
    const before = drawn.edits.get(pass.thread);
    if (!last && before !== undefined && now - before < editMs) return;
    await surface.edit(root, rootMessage(pass, now));
    drawn.states.set(pass.id, state);
    drawn.edits.set(pass.thread, now);
  }

  async function replies(
    rows: NewsRow[],
    pass: PassSnapshot,
    root: Thread,
    surface: Surface,
  ): Promise<void> {
    for (const group of fold(rows)) {
      const [first] = group;
      if (first === undefined) continue;
      const text = group.length > 1 ? foldedText(group, pass) : newsText(first, pass);
      const key = `news:${first.id}`;
      if (text !== null && (await surface.find(root, key)) === null) {
        await surface.reply(root, { text }, key);
      }
      if (first.news.type === "pass ended") await surface.ended(root, pass);
      await desk.newsroom.delivered(group.map((row) => row.id));
    }
  }
}

/** Groups of one, or of all of a kind where many came together: they stand where the first of them stood. */
function fold(rows: NewsRow[]): NewsRow[][] {
  const kinds = new Map<string, NewsRow[]>();
  for (const row of rows) {
    const kind = kindOf(row);
    kinds.set(kind, [...(kinds.get(kind) ?? []), row]);
  }
  const groups: NewsRow[][] = [];
  const folded = new Set<string>();
  for (const row of rows) {
    const kind = kindOf(row);
    const all = kinds.get(kind) ?? [];
    const many = all.length > foldOver && "entry" in row.news;
    if (!many) groups.push([row]);
    else if (!folded.has(kind)) {
      folded.add(kind);
      groups.push(all);
    }
  }
  return groups;
}

function kindOf({ news }: NewsRow): string {
  return news.type === "entry waits" ? `${news.type} ${news.for}` : news.type;
}
