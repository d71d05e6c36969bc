/** Aborts when the process is asked to end; asked twice, it ends at once. */
export function untilSignal(): AbortSignal {
  const stopping = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    process.on(signal, () => {
      if (stopping.signal.aborted) process.exit(1);
      stopping.abort();
    });
  }
  return stopping.signal;
}

/** Ends with the signal, and keeps the process alive until then: a promise alone does not. */
export async function stayAlive(stopping: AbortSignal): Promise<void> {
  const alive = setInterval(() => {}, 60_000);
  await aborted(stopping);
  clearInterval(alive);
}

/** Ends when the signal aborts. */
export function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener("abort", () => resolve());
  });
}
