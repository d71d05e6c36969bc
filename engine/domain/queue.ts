import type { RunId } from "./pass.ts";

/** The bell: says that a run waits. The database is the truth; a bell may be lost, rung twice, or late. */
export interface Queue extends AsyncDisposable {
  ring(run: RunId): Promise<void>;
  /** Calls `answer` for each ring. The promise ends when the queue takes no more (closed). */
  listen(answer: (run: RunId) => void): void;
}
