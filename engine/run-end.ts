import { randomBytes } from "node:crypto";
import { FolderError, harmless, type TransientError, UserError } from "./domain/errors.ts";
import type { Checked, Job, RunEnd } from "./domain/pass.ts";
import type { PassResult } from "./pass/result.ts";
import type { Works } from "./works.ts";

/** Nothing failed, nothing is missing and nothing stands twice. */
export function isClean({ interrupted, failed, folders, gaps, late }: PassResult): boolean {
  return !interrupted && failed + folders.length + gaps.length + late === 0;
}

/** How a run ends that met every folder. */
export function ending(result: PassResult, checked: Checked | null): RunEnd {
  const reasons = result.folders.map(({ folder, reason }) => `${harmless(folder)}: ${reason}`);
  if (result.gaps.length > 0) {
    reasons.unshift(
      `the sums of ${result.gaps.map((one) => harmless(one)).join(", ")} do not balance`,
    );
  }
  if (result.late > 0) {
    reasons.push(
      `the new system stored late, after it had been asked, what was then sent again: ${result.late} stand there twice`,
    );
  }
  if (checked?.passed === false) {
    reasons.push(
      `the check after it found ${checked.missing} of ${checked.carried} not where they were put, and ${checked.duplicates} standing there twice`,
    );
  }
  const clean = result.failed === 0 && reasons.length === 0;
  return {
    state: clean ? "completed" : "completed_with_errors",
    reason: reasons.length > 0 ? harmless(reasons.join("; "), 500) : null,
    survey: null,
  };
}

/** How it ends after so many tries in vain. */
export function gaveUp(error: TransientError, tries: number, job: Job): RunEnd {
  const again = job.kind === "verify" ? "verify" : "delta";
  const reason = `gave up after ${tries} tries: ${harmless(error.message).replace(/\.$/, "")}. What was carried stays; type \`${again}\` to go on later`;
  return { state: "failed", reason, survey: null };
}

/** How it ends by an error that time does not mend; one of our own is logged, with a reference. */
export function failure(error: unknown, job: Job, works: Works): RunEnd {
  if (error instanceof UserError) return { state: "failed", reason: error.message, survey: null };
  if (error instanceof FolderError) {
    const reason = `${harmless(error.message, 300)}. What was carried stays; type \`${job.kind}\` when that is mended`;
    return { state: "failed", reason, survey: null };
  }
  const reference = randomBytes(4).toString("hex");
  works.log.error({ run: job.run, reference, err: error }, "a run failed for a fault of ours");
  return {
    state: "failed",
    reason: `an error of Godwit's own, reference ${reference}; what was carried stays. Type \`delta\` to go on`,
    survey: null,
  };
}
