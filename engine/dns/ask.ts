import type { NameServer } from "../domain/name-server.ts";
import { askByTcp, askByUdp, type Heard } from "./transport.ts";
import { type Fault, type Question, type Reply, writeQuestion } from "./wire.ts";

/** Asks one server one thing. Never throws, and always ends. */
export type Ask = (server: NameServer, question: Question) => Promise<Reply | Fault>;

/** Two tries each by UDP, and by TCP where the answer is too long for that; at most `atOnce` under way. */
export function makeAsk({ withinMs, atOnce }: { withinMs: number; atOnce: number }): Ask {
  const inLine = makeLine(atOnce);

  const once = async (server: NameServer, question: Question, extended: boolean) => {
    const sent = writeQuestion(question, extended);
    const heard = await askByUdp(server, sent, withinMs);
    return heard.as === "cut" ? await askByTcp(server, sent, withinMs) : heard;
  };
  return async (server, question) => {
    let heard: Heard = { as: "cut" };
    // Some old servers and firewalls refuse EDNS, or swallow it: the second try does without.
    for (const extended of [true, false]) {
      heard = await inLine(() => once(server, question, extended));
      if (heard.as === "reply") return heard.reply;
      if (heard.as === "fault" && heard.final === true) break;
    }
    return { fault: heard.as === "fault" ? heard.fault : "an answer that was cut short" };
  };
}

/** Lets `width` works run at a time, the others in the order they came. */
function makeLine(width: number): <T>(work: () => Promise<T>) => Promise<T> {
  let free = width;
  const waiting: (() => void)[] = [];
  return async (work) => {
    if (free > 0) free -= 1;
    else await new Promise<void>((resolve) => waiting.push(resolve));
    try {
      return await work();
    } finally {
      const next = waiting.shift();
      if (next === undefined) free += 1;
      else next();
    }
  };
}
