import { spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { createRequire } from "node:module";
import type { AddressInfo } from "node:net";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Page } from "playwright-core";
import { openBrowser } from "./browser.ts";

const require = createRequire(import.meta.url);

/** Microsoft's own test client for Teams, and a browser on it. */
export interface Playground extends AsyncDisposable {
  url: string;
  page: Page;
}

/** Starts both, in front of a bot that listens at `endpoint`. Nothing but this machine is asked. */
export async function startPlayground(endpoint: string): Promise<Playground> {
  await using stack = new AsyncDisposableStack();
  const folder = await mkdtemp(join(tmpdir(), "godwit-playground-"));
  stack.defer(() => rm(folder, { recursive: true, force: true }));
  const port = await freePort();
  const cli = require.resolve("@microsoft/m365agentsplayground/cli.js");
  const words = [
    "start",
    "-e",
    endpoint,
    "-c",
    "msteams",
    "-p",
    String(port),
    "--disable-telemetry",
  ];
  const child = spawn(process.execPath, [cli, ...words], {
    cwd: folder,
    stdio: "ignore",
    env: { PATH: process.env.PATH, HOME: folder, BROWSER: "none" },
  });
  stack.defer(async () => {
    const ended = new Promise((resolve) => child.once("exit", resolve));
    child.kill("SIGKILL");
    await ended;
  });
  const url = `http://127.0.0.1:${port}/`;
  await answering(url);

  const { context } = stack.use(await openBrowser({ viewport: { width: 1280, height: 1000 } }));
  const page = await context.newPage();
  page.setDefaultTimeout(8000);
  await page.route("**/*", (route) => {
    const { hostname } = new URL(route.request().url());
    return hostname === "127.0.0.1" || hostname === "localhost" ? route.continue() : route.abort();
  });
  await page.goto(url);
  const moved = stack.move();
  return { url, page, [Symbol.asyncDispose]: () => moved.disposeAsync() };
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

async function answering(url: string): Promise<void> {
  for (const end = Date.now() + 20_000; Date.now() < end; ) {
    const answered = await fetch(url).then(
      (response) => response.ok,
      () => false,
    );
    if (answered) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error("The Playground does not answer.");
}
