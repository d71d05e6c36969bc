import { spawn } from "node:child_process";
import path from "node:path";
import { createInterface } from "node:readline";
import { z } from "zod";

const Counts = z.object({
  listed: z.number(),
  migrated: z.number(),
  duplicates: z.number(),
  filtered: z.number(),
  failed: z.number(),
  vanished: z.number(),
  notCarried: z.number(),
});

const Line = z.discriminatedUnion("kind", [
  z.object({ kind: z.enum(["private", "post", "edit", "reply"]), text: z.string() }),
  Counts.extend({
    kind: z.literal("pass"),
    type: z.string(),
    state: z.string(),
    text: z.undefined().optional(),
    entries: z.array(
      Counts.extend({
        source: z.string(),
        target: z.string(),
        state: z.string(),
        license: z.string(),
      }),
    ),
    licenses: z.object({
      owned: z.number(),
      reserved: z.number(),
      consumed: z.number(),
      free: z.number(),
    }),
  }),
]);

/** A line of `chat --json`. */
export type ChatLine = z.infer<typeof Line>;
export type PassLine = Extract<ChatLine, { kind: "pass" }>;

/** What an operator's commands led to. */
export interface ChatEnd {
  lines: ChatLine[];
  exit: number;
}

/** Plays an operator: `chat --json` with these commands; each line is heard as it comes. */
export async function chat(
  commands: string[],
  {
    cwd,
    env,
    heard,
    signal,
  }: { cwd: string; env: NodeJS.ProcessEnv; heard: (line: ChatLine) => void; signal: AbortSignal },
): Promise<ChatEnd> {
  const root = path.dirname(import.meta.dirname);
  const child = spawn(
    process.execPath,
    [path.join(root, "bot/main.ts"), "chat", "--json", ...commands],
    { cwd, env, stdio: ["ignore", "pipe", "inherit"], signal },
  );
  const ended = new Promise<number>((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code) => resolve(code ?? 1));
  });
  const lines: ChatLine[] = [];
  for await (const text of createInterface({ input: child.stdout })) {
    const line = Line.parse(JSON.parse(text));
    lines.push(line);
    heard(line);
  }
  return { lines, exit: await ended };
}
