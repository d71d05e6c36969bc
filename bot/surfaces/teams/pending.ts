/** What Teams waits for: the answer to a press, a form that is to be opened, or one that was sent. */
export type Asking = "press" | "fetch" | "submit";

/** The questions of Teams whose answer is the HTTP response, by the names they have as `Incoming.trigger`. */
export interface Pending {
  /** `answered` ends with the first answer given, or the neutral one once `release` says there is none. */
  open(asking: Asking): {
    trigger: string;
    answered: Promise<object>;
    release(neutral: object): void;
  };
  /** What is still waited for under this name; null where nothing is any more. */
  asking(trigger: string | null): Asking | null;
  /** False where it came too late; then it was not shown. */
  answer(trigger: string | null, body: object): boolean;
}

/** Teams waits a few seconds only, so nothing here outlives a request. */
export function pendingAnswers(): Pending {
  const waiting = new Map<string, { asking: Asking; resolve(body: object): void }>();
  let count = 0;
  const answer = (trigger: string | null, body: object) => {
    const one = waiting.get(trigger ?? "");
    if (one === undefined) return false;
    waiting.delete(trigger ?? "");
    one.resolve(body);
    return true;
  };
  return {
    open(asking) {
      count += 1;
      const trigger = String(count);
      const { promise, resolve } = Promise.withResolvers<object>();
      waiting.set(trigger, { asking, resolve });
      return {
        trigger,
        answered: promise,
        release: (neutral) => void answer(trigger, neutral),
      };
    },
    asking: (trigger) => waiting.get(trigger ?? "")?.asking ?? null,
    answer,
  };
}
