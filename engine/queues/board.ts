import type { BaseAdapter } from "@bull-board/api/baseAdapter";
import { BullMQAdapter } from "@bull-board/api/bullMQAdapter";
import { within } from "../domain/clock.ts";
import { runOf } from "./bullmq.ts";
import { usualPace } from "./pace.ts";
import { type BareQueue, storeOf } from "./store.ts";

/** A queue as Bull Board draws it: to be looked at, never changed. Disposing closes it. */
export interface DrawnQueue extends AsyncDisposable {
  /** The same as long as it can be used. Throws where the store does not answer, after some seconds at the latest. */
  adapter(): Promise<BaseAdapter>;
}

/**
 * The queue between processes of this URL. Nothing is opened before it is asked for. Of what its rings carry only the
 * run's number is shown.
 */
export function drawnQueue(url: string, pace = usualPace): DrawnQueue {
  const store = storeOf(url, pace);
  let open: (BareQueue & { adapter: BaseAdapter }) | null = null;
  return {
    async adapter() {
      if (open === null) {
        const bare = store.bare();
        open = { ...bare, adapter: adapterOf(bare) };
      }
      const mine = open;
      try {
        await within(pace.askMs, mine.queue.waitUntilReady());
      } catch (error) {
        // What could not be opened once never can be.
        if (open === mine) open = null;
        await mine.end();
        throw error;
      }
      return mine.adapter;
    },
    async [Symbol.asyncDispose]() {
      await open?.end();
    },
  };
}

function adapterOf({ queue }: BareQueue): BaseAdapter {
  const adapter = new BullMQAdapter(queue, {
    readOnlyMode: true,
    allowRetries: false,
    displayName: "Runs that were rung for",
  });
  adapter.setFormatter("data", (bell: unknown) => ({ run: runOf(bell) }));
  return adapter;
}
