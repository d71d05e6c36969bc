import { UnavailableError } from "../../../engine/domain/errors.ts";
import type { Transcript, TranscriptLine } from "../../../engine/domain/thread.ts";

/**
 * Lines of the local channel that are for this person, from now on, each once. Those of a time at which the database
 * is away come when it is back.
 */
export async function follow(
  transcript: Transcript,
  person: string,
): Promise<{ next(): Promise<TranscriptLine[]> }> {
  let read = await transcript.last();
  return {
    async next() {
      const found: TranscriptLine[] = [];
      for (;;) {
        const lines = await transcript.after(read, 500).catch(none);
        read = lines.at(-1)?.id ?? read;
        found.push(...lines.filter((line) => line.for === null || line.for === person));
        if (lines.length < 500) return found;
      }
    },
  };
}

function none(error: unknown): TranscriptLine[] {
  if (error instanceof UnavailableError) return [];
  throw error;
}
