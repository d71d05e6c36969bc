/** What is said to those who watch, and who is asked by machines: short, and nobody's name. */

/** How far a process is. */
export type Stance = "opening" | "open" | "closing";

export function processLine(stance: Stance): string {
  switch (stance) {
    case "opening":
      return "process opens";
    case "open":
      return "process ok";
    case "closing":
      return "process closes";
  }
}

export function databaseLine(answers: boolean): string {
  return answers ? "database ok" : "database fails; nothing is carried until it answers";
}

export function queueLine(serves: boolean): string {
  return serves ? "queue ok" : "queue fails; rings are lost, engines look by themselves";
}

export const aliveText = "ok";

export const nothingHereText = "There is nothing here. Ask /healthz, /readyz or /metrics.";

export const onlyGetText = "This is asked with GET.";

export const unansweredText = "That went wrong; the log says more.";

export function watchedText(host: string, port: number): string {
  const at = host.includes(":") ? `[${host}]` : host;
  return `Watched at http://${at}:${port}/healthz, /readyz and /metrics.`;
}

export function notListeningText(code: string): string {
  return `GODWIT_HEALTH_PORT cannot be listened on with this GODWIT_HOST (${code}); nothing was started. Set it to a port that is free, another for each process of this machine, or unset it: then nobody can watch Godwit.`;
}

/** The help of each figure, as Prometheus shows it. */
export const figureHelp = {
  godwit_build_info: "The version of Godwit that answers; always 1.",
  godwit_database_up:
    "1 where the database answered this question, else 0, and its figures are missing.",
  godwit_queue_up: "1 where rings between processes are heard; 0 delays runs by seconds.",
  godwit_runs_active: "Runs this process carries now.",
  godwit_passes: "Passes by what they are and how they stand.",
  godwit_runs_waiting: "Runs an engine could begin at once, had it room: the depth of the queue.",
  godwit_runs_begun: "Runs that were begun and are not over, of dead engines too.",
  godwit_waits: "Runs that wait for something else than an engine, by what they wait for.",
  godwit_items_total: "Items all passes met, by what became of them.",
  godwit_bytes_total: "Bytes of the migrated items.",
  godwit_licenses: "Licenses of all projects; the three together are owned.",
  godwit_news_undelivered: "News that no chat was told yet.",
  godwit_news_oldest_seconds: "How long the oldest news has waited to be told; 0 where none waits.",
} as const;
