import type { News, NewsRow } from "../engine/domain/news.ts";
import type { Voice } from "../engine/domain/project.ts";

/** More pieces of news of one kind than this, come together, are told in one. */
const foldOver = { quiet: 1, normal: 5, verbose: 25 } satisfies Record<Voice, number>;

/** A pass over more mailboxes than this is told of in rounds. */
const large = 5;

/** What of the news of so many runs is told now: with `wait`, single mailboxes of a large pass are left for later. */
export function due(rows: NewsRow[], runs: number, wait: boolean): NewsRow[] {
  if (!wait || runs <= large) return rows;
  return rows.filter(({ news }) => !("entry" in news));
}

/** Groups of one, or of all of a kind where many came together: they stand where the first of them stood. */
export function fold(rows: NewsRow[], voice: Voice): NewsRow[][] {
  const kinds = Map.groupBy(rows, kindOf);
  const groups: NewsRow[][] = [];
  const folded = new Set<string>();
  for (const row of rows) {
    const kind = kindOf(row);
    const all = kinds.get(kind) ?? [];
    const many = all.length > foldOver[voice] && "entry" in row.news;
    if (!many) groups.push([row]);
    else if (!folded.has(kind)) {
      folded.add(kind);
      groups.push(all);
    }
  }
  return groups;
}

/** Whether a channel with this voice is told of it at all. */
export function isTold({ news }: NewsRow, voice: Voice): boolean {
  switch (news.type) {
    case "pass queued":
    case "pass ended":
    case "first failure":
    case "first checked":
    case "pass paused":
    case "pass resumed":
      return true;
    case "pass started":
    case "license consumed":
    case "entry waits":
      return voice !== "quiet";
    case "entry ended":
      return voice !== "quiet" || isTrouble(news);
  }
}

/** Whether the channel itself is to notice: the end, and what needs somebody. */
export function isAloud({ news }: NewsRow, voice: Voice): boolean {
  return news.type === "pass ended" && voice !== "quiet";
}

function isTrouble(news: Extract<News, { type: "entry ended" }>): boolean {
  return news.state === "failed" || news.state === "completed_with_errors";
}

function kindOf({ news }: NewsRow): string {
  if (news.type === "entry waits") return `${news.type} ${news.for}`;
  return news.type === "entry ended" && isTrouble(news) ? `${news.type} in trouble` : news.type;
}
