import type { PassSnapshot } from "../../../engine/domain/pass.ts";
import type { TranscriptLine } from "../../../engine/domain/thread.ts";

/** The record of a pass that ended: the `pass` line of `chat --json` without its kind. */
export function passRecord(pass: PassSnapshot): Record<string, unknown> {
  const { listed, migrated, duplicates, filtered, failed, vanished, notCarried, bytes } =
    pass.counters;
  return {
    id: String(pass.id),
    type: pass.kind,
    state: pass.state,
    listed,
    migrated,
    duplicates,
    filtered,
    failed,
    vanished,
    notCarried,
    bytes,
    entries: pass.runs.map((run) => ({
      source: run.source,
      target: run.target,
      state: run.state,
      listed: run.counters.listed,
      migrated: run.counters.migrated,
      duplicates: run.counters.duplicates,
      filtered: run.counters.filtered,
      failed: run.counters.failed,
      vanished: run.counters.vanished,
      notCarried: run.counters.notCarried,
      passesUsed: run.passesUsed,
      license: run.license,
    })),
    licenses: pass.licenses,
  };
}

/** One line of a channel as one JSON object: exactly those of the command line's documentation. */
export function jsonLine({ kind, text, thread, extra }: TranscriptLine): string {
  switch (kind) {
    case "private":
      return JSON.stringify({ kind, text });
    case "post":
      return JSON.stringify({
        kind,
        thread,
        text,
        facts: extra.facts ?? {},
        buttons: labels(extra),
      });
    case "edit":
    case "reply":
      return JSON.stringify({ kind, thread, text });
    case "pass":
      return JSON.stringify({ kind, ...(extra.pass as Record<string, unknown>) });
  }
}

function labels(extra: TranscriptLine["extra"]): string[] {
  const buttons = (extra.buttons ?? []) as { label: string }[];
  return buttons.map((button) => button.label);
}
