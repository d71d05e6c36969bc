import { createBullBoard } from "@bull-board/api";
import type { BaseAdapter } from "@bull-board/api/baseAdapter";
import { ExpressAdapter } from "@bull-board/express";
import type { Express } from "express";
import { boardTitle, unansweredText } from "../wording/queue.ts";
import { enterStyle } from "./enter.ts";

/** The colours of Redis's sign in the page, the only style that does not stand in a file. */
const signColours = "'sha256-r2N1TB/gHbBtBZFKg7ejmq1acVSREzucTAEw6ga4hoU='";

/** What the board's pages may do: nothing but their own scripts, styles and questions. */
export const boardPolicy = [
  "default-src 'none'",
  "script-src 'self'",
  `style-src 'self' ${signColours} ${enterStyle}`,
  "img-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'self'",
  "form-action 'self'",
  "frame-ancestors 'none'",
].join("; ");

/** Bull Board's page, to be mounted at the root, and what it draws. Who may see it is not its business. */
export interface BullBoard {
  app: Express;
  draw(queue: BaseAdapter): void;
}

export function bullBoard(failed: (error: unknown) => void): BullBoard {
  const adapter = new ExpressAdapter();
  adapter.setBasePath("/");
  const app: Express = adapter.getRouter();
  app.disable("x-powered-by");
  app.disable("etag");
  const { replaceQueues } = createBullBoard({
    queues: [],
    serverAdapter: adapter,
    options: { uiConfig: { boardTitle, hideDocsLink: true } },
  });
  // Its own would show the words of an SDK.
  adapter.setErrorHandler((error) => {
    failed(error);
    const key = "ERRORS.INTERNAL_SERVER_ERROR";
    return { status: 500, body: { error: { key }, message: unansweredText } };
  });
  const render = app.render.bind(app);
  app.render = (name: string, options?: unknown, done?: unknown) => {
    const told = done as (error: Error, html: string) => void;
    render(name, options as object, (error, html) => told(error, html && ownAlone(html)));
  };
  return { app, draw: (queue) => replaceQueues([queue]) };
}

/** The page without what it would fetch from elsewhere, and without styles that stand in it. */
function ownAlone(html: string): string {
  return html
    .replace(/<link\b[^>]*\bhref="(?:https?:)?\/\/[^>]*>/g, "")
    .replace(/<style>.*?<\/style>/gs, "")
    .replace(/ style="[^"]*"/g, "");
}
