import { imapProvider } from "../../../engine/providers/imap/provider.ts";
import { addressAt } from "./addresses.ts";

// A process of its own, so that its memory is the provider's: lists the folder Many, then carries INBOX.
const [host = "", port = "", user = ""] = process.argv.slice(2);
const provider = imapProvider();
const at = { host, port: Number(port) };
await using source = await provider.source(addressAt(at, user));
await using target = await provider.target(addressAt(at, `${user}-target`));

let listed = 0;
for await (const page of (await source.open("Many")).list()) listed += page.length;

let bytes = 0;
async function* counted(body: AsyncIterable<Uint8Array>) {
  for await (const piece of body) {
    bytes += piece.length;
    yield piece;
  }
}
const folder = await source.open("INBOX");
async function* items() {
  for await (const item of folder.read([1])) yield { ...item, body: counted(item.body) };
}
let added = 0;
for await (const receipt of (await target.open("INBOX")).add(items())) {
  if (receipt.outcome === "added") added += 1;
}

const peakMegabytes = process.resourceUsage().maxRSS / 1024;
process.send?.({ listed, bytes, added, peakMegabytes });
process.disconnect?.();
