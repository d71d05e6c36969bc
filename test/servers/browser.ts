import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type BrowserContext, type BrowserContextOptions, chromium } from "playwright-core";

/** A browser with nothing remembered. */
export interface Browser extends AsyncDisposable {
  context: BrowserContext;
}

const places = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];

/** Opens the Chromium of this machine, headless, with a folder of its own that goes with it. */
export async function openBrowser(options: BrowserContextOptions = {}): Promise<Browser> {
  const executablePath = places.find((one) => existsSync(one));
  if (executablePath === undefined) {
    throw new Error(
      "No Chromium is installed. Type `npm test`, which installs it, or `apt-get install chromium`.",
    );
  }
  const folder = await mkdtemp(join(tmpdir(), "godwit-browser-"));
  const context = await chromium.launchPersistentContext(folder, {
    executablePath,
    headless: true,
    args: [
      "--no-sandbox",
      "--disable-gpu",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
    ],
    ...options,
  });
  context.setDefaultTimeout(15_000);
  return {
    context,
    async [Symbol.asyncDispose]() {
      await context.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
