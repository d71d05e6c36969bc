import { readFileSync } from "node:fs";
import { join } from "node:path";

const text = readFileSync(join(import.meta.dirname, "../../package.json"), "utf8");

/** What Node is told wherever Godwit is started. */
export const nodeFlags: string[] = JSON.parse(text).config.nodeFlags;
