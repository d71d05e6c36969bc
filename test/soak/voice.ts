import { randomUUID } from "node:crypto";
import type { House } from "./house.ts";

/** What came of a line, by the audit. */
export interface Heard {
  outcome: "done" | "refused" | "failed";
  did: string;
}

/** Somebody who types at the terminal and into the page, one line at a time. */
export interface Voice extends AsyncDisposable {
  /** Answers what came of it, once that is known. */
  terminal(line: string): Promise<Heard>;
  page(line: string): Promise<Heard>;
}

/** Nothing is slow enough for this: what has no answer by now has none. */
const unansweredMs = 10 * 60_000;

/** Opens the page as a browser does, and follows its lines. */
export async function openVoice(house: House): Promise<Voice> {
  const { bot, books, turns } = house;
  const gone = new AbortController();
  const page = await enter(addressOf(bot.working.said()));
  let ended = false;
  void bot.working.ended.then(() => {
    ended = true;
  });
  const heard = (type: () => Promise<void>) =>
    turns.take<Heard>(async () => {
      const before = await books.number("select coalesce(max(id), 0) from audit");
      await type();
      const typed = Date.now();
      for (;;) {
        const [row] = await books.rows<Heard>(
          "select did, outcome from audit where id > $1 order by id limit 1",
          [before],
        );
        if (row !== undefined) return row;
        if (ended) throw new Error("The bot ended.");
        if (Date.now() - typed > unansweredMs)
          return { outcome: "failed", did: "nothing was heard" };
        await new Promise((go) => setTimeout(go, 100));
      }
    });
  return {
    terminal: (line) => heard(async () => bot.working.type(line)),
    // Each line in a tab of its own, that is closed afterwards.
    page: (line) =>
      heard(async () => {
        const tab = new AbortController();
        const following = page.follow(AbortSignal.any([tab.signal, gone.signal]));
        try {
          await page.say(line);
        } finally {
          tab.abort();
          await following;
        }
      }),
    async [Symbol.asyncDispose]() {
      gone.abort();
    },
  };
}

function addressOf(said: string): URL {
  const [address = ""] = /http:\/\/127\.0\.0\.1:\d+\/\?token=\S+/.exec(said) ?? [];
  return new URL(address);
}

interface OpenPage {
  say(text: string): Promise<void>;
  /** Reads until the tab is closed, or the server ends it. */
  follow(signal: AbortSignal): Promise<void>;
}

async function enter(address: URL): Promise<OpenPage> {
  const { headers } = await fetch(address);
  const cookie = headers.get("set-cookie")?.split(";")[0];
  if (cookie === undefined) throw new Error("The page let nobody in.");
  const { origin } = address;
  return {
    async say(text) {
      const { status } = await fetch(`${origin}/say`, {
        method: "POST",
        headers: { cookie, origin, "content-type": "application/json" },
        body: JSON.stringify({ id: randomUUID(), as: "owner", text, thread: null, values: null }),
      });
      if (status !== 204) throw new Error(`The page answered ${status} to: ${text}`);
    },
    async follow(signal) {
      try {
        const lines = await fetch(`${origin}/lines?as=owner`, { headers: { cookie }, signal });
        for await (const _ of lines.body ?? []);
      } catch {
        // Closed.
      }
    },
  };
}
