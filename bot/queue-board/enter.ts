import { createHash } from "node:crypto";
import { boardTitle, enterTexts } from "../wording/queue.ts";

const style =
  "body{font:16px/1.5 system-ui,sans-serif;max-width:26em;margin:15vh auto;padding:0 1em}button{font:inherit;padding:.5em 1.2em}";

/** Lets the entrance's own style through a content security policy. */
export const enterStyle = `'sha256-${createHash("sha256").update(style).digest("base64")}'`;

/** Behind a link, before it is used up: what looks at links in chats, to show or to check them, presses no buttons. */
export const enterPage = [
  '<!doctype html><html lang="en"><meta charset="utf-8"><meta name="robots" content="noindex">',
  '<meta name="viewport" content="width=device-width"><link rel="icon" href="data:,">',
  `<title>${boardTitle}</title><style>${style}</style>`,
  `<form method="post"><h1>${boardTitle}</h1><p>${enterTexts.about}</p>`,
  `<button autofocus>${enterTexts.button}</button></form></html>`,
].join("\n");
