import { spawn } from "node:child_process";
import { once } from "node:events";
import { setTimeout as elapse } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Queue } from "../../engine/domain/queue.ts";
import { testPace } from "./queue-pace.ts";

/** An empty store, and queues on it. Disposing closes those. */
export interface Queues extends AsyncDisposable {
  /** Opens it, as one process does. */
  open(): Promise<Queue>;
  /** Opens it as another process would; the same where it knows one process alone. */
  again(): Promise<Queue>;
}

/** What every queue must do, whatever keeps the rings. */
export function queueContract(fresh: () => Promise<Queues>): void {
  describe("as a queue", () => {
    let queues: Queues;
    let queue: Queue;
    let other: Queue;
    beforeEach(async () => {
      queues = await fresh();
      queue = await queues.open();
      other = await queues.again();
    });
    afterEach(() => queues[Symbol.asyncDispose]());

    test("every ring is answered once, whoever listens, before and after it", async () => {
      const heard: number[] = [];
      for (const run of [1, 2, 3]) await queue.ring(run, run);
      other.listen(async (run) => void heard.push(run), 2);
      queue.listen(async (run) => void heard.push(run), 2);
      for (const run of [4, 5, 6]) await queue.ring(run, run);

      await expect.poll(() => heard.toSorted()).toEqual([1, 2, 3, 4, 5, 6]);
    });

    test("a run that waits or is being answered is not rung for again; later it is", async () => {
      const { heard, answer, letGo } = held();
      await queue.ring(1, 1);
      await other.ring(1, 1);
      await queue.ring(2, 2);
      await using _listening = other.listen(answer, 1);
      await expect.poll(() => heard).toEqual([1]);
      await queue.ring(1, 1);

      letGo(1);
      await expect.poll(() => heard).toEqual([1, 2]);
      letGo(2);
      // A ring comes through once the answer was noted.
      await expect
        .poll(async () => {
          await queue.ring(1, 1);
          return heard;
        })
        .toEqual([1, 2, 1]);
      letGo(1);
    });

    test("so many answers are under way as were asked for, and no more", async () => {
      const { heard, answer, letGo, most } = held();
      await using _listening = queue.listen(answer, 3);
      for (const run of [1, 2, 3, 4, 5, 6, 7]) await other.ring(run, run);
      await expect.poll(() => heard).toHaveLength(3);

      for (let n = 1; n <= 7; n += 1) {
        await expect.poll(() => heard.length).toBeGreaterThanOrEqual(n);
        letGo(heard[n - 1]!);
      }

      expect(most()).toBe(3);
    });

    test("the lower turn is answered first, whoever rang before", async () => {
      const heard: number[] = [];
      for (const [run, turn] of [
        [11, 1],
        [12, 2],
        [13, 3],
        [14, 4],
        [21, 1],
        [22, 2],
      ] as const) {
        await queue.ring(run, turn);
      }

      await using _listening = other.listen(async (run) => void heard.push(run), 1);

      await expect.poll(() => heard).toEqual([11, 21, 12, 22, 13, 14]);
    });

    test("an answer that fails is rung again, a few times, and then forgotten", async () => {
      const tries: number[] = [];
      let fails = testPace.backoff.times;
      await using _listening = queue.listen((run) => {
        tries.push(run);
        fails -= 1;
        return fails >= 0 ? Promise.reject(new Error("no")) : Promise.resolve();
      }, 1);
      await queue.ring(1, 1);
      // Redis counts the pauses in whole seconds.
      await expect.poll(() => tries, { timeout: 10_000 }).toHaveLength(testPace.backoff.times);

      await expect
        .poll(async () => {
          await other.ring(1, 1);
          return tries.length;
        })
        .toBe(testPace.backoff.times + 1);
      expect(fails).toBe(-1);
    });

    test("who stops listening ends the answers under way and leaves the rest to others", async () => {
      const mine = held();
      const listening = queue.listen(mine.answer, 1);
      await queue.ring(1, 1);
      await expect.poll(() => mine.heard).toEqual([1]);
      let silent = false;
      const stopping = Promise.resolve(listening[Symbol.asyncDispose]()).then(() => {
        silent = true;
      });
      await queue.ring(2, 2);
      const theirs: number[] = [];
      await using _listening = other.listen(async (run) => void theirs.push(run), 1);
      await expect.poll(() => theirs).toEqual([2]);
      expect(silent).toBe(false);

      mine.letGo(1);
      await stopping;

      expect(mine.heard).toEqual([1]);
    });

    test("tells how many rings wait and are being answered, whoever asks", async () => {
      const depth = async () => [await queue.depth(), await other.depth()];
      expect(await depth()).toEqual(Array(2).fill({ waiting: 0, active: 0 }));
      const { heard, answer, letGo } = held();
      await using _listening = queue.listen(answer, 1);
      for (const run of [1, 2, 3]) await other.ring(run, run);
      await expect.poll(() => heard).toEqual([1]);
      expect(await depth()).toEqual(Array(2).fill({ waiting: 2, active: 1 }));

      for (const run of [1, 2, 3]) {
        await expect.poll(() => heard).toContain(run);
        letGo(run);
      }

      await expect.poll(depth).toEqual(Array(2).fill({ waiting: 0, active: 0 }));
    });

    test("what is closed rings for nobody and answers nobody, without a word", async () => {
      const heard: number[] = [];
      queue.listen(async (run) => void heard.push(run), 1);
      await queue[Symbol.asyncDispose]();
      await queue.ring(1, 1);
      queue.listen(async (run) => void heard.push(run), 1);
      await queue[Symbol.asyncDispose]();

      await using last = await queues.open();
      last.listen(async (run) => void heard.push(run), 1);
      await last.ring(2, 2);
      await expect.poll(() => heard).toEqual([2]);
    });
  });
}

/** What a queue between processes must do besides. `url` is of the store opened last. */
export function sharedQueueContract(fresh: () => Promise<Queues>, url: () => string): void {
  describe("between processes", () => {
    test("a ring is its process's own as long as that lives, and another's once it is killed", async () => {
      await using queues = await fresh();
      const queue = await queues.open();
      await using child = otherProcess(url());
      await queue.ring(1, 1);
      await child.said("1");
      const heard: number[] = [];
      await using _listening = queue.listen(async (run) => void heard.push(run), 1);
      await elapse(2 * testPace.lockMs);
      expect(heard, "its process lives").toEqual([]);

      await child.kill();

      await expect.poll(() => heard, { timeout: 10_000 }).toEqual([1]);
    });
  });
}

/** Answers that end when they are let go. */
function held() {
  const heard: number[] = [];
  const open = new Map<number, () => void>();
  let most = 0;
  return {
    heard,
    most: () => most,
    answer(run: number) {
      heard.push(run);
      return new Promise<void>((resolve) => {
        open.set(run, resolve);
        most = Math.max(most, open.size);
      });
    },
    letGo(run: number) {
      const end = open.get(run);
      open.delete(run);
      end?.();
    },
  };
}

/** Another process, as `queue-process.ts` says. */
export function otherProcess(url: string) {
  const child = spawn(
    process.execPath,
    [new URL("queue-process.ts", import.meta.url).pathname, url],
    { stdio: ["pipe", "pipe", "inherit"] },
  );
  let text = "";
  child.stdout.setEncoding("utf8").on("data", (some: string) => {
    text += some;
  });
  const kill = async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const exit = once(child, "exit");
    child.kill("SIGKILL");
    await exit;
  };
  return {
    said: (line: string) =>
      expect.poll(() => text.split("\n"), { timeout: 30_000 }).toContain(line),
    /** Its input ends. */
    leave: () => void child.stdin.end(),
    kill,
    [Symbol.asyncDispose]: kill,
  };
}
