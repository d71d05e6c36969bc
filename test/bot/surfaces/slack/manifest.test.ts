import { readdir, readFile } from "node:fs/promises";
import { expect, test } from "vitest";
import { scopeOf } from "../../../servers/slack-methods.ts";
import { slackState } from "../../../servers/slack-state.ts";

const root = new URL("../../../../", import.meta.url);
const manifest = await readFile(new URL("docs/slack-manifest.yaml", root), "utf8");

/** The entries of a list in the manifest. */
function listed(name: string): string[] {
  const block =
    new RegExp(String.raw`^( *)${name}:\n((?:\1 +- .*\n)+)`, "m").exec(manifest)?.[2] ?? "";
  return [...block.matchAll(/- (.*)/g)].map(([, entry = ""]) => entry).sort();
}

/** What is asked of the Web API, by the code as it stands. */
async function methodsCalled(): Promise<string[]> {
  const folder = new URL("bot/surfaces/slack/", root);
  const sources = await Promise.all(
    (await readdir(folder)).map((file) => readFile(new URL(file, folder), "utf8")),
  );
  const all = sources.join("\n");
  const called = [...all.matchAll(/(?:speaking|drawing|client)\.(\w+\.\w+(?:\.\w+)?)\(/g)].map(
    ([, method = ""]) => method,
  );
  const upload = ["files.getUploadURLExternal", "files.completeUploadExternal"];
  return [...new Set([...called, ...(all.includes("filesUploadV2") ? upload : [])])];
}

/** What no method needs: the command and the events. */
const besides = ["commands", "app_mentions:read", "im:history"];

/** The past of channels is read only where somebody adds this. */
const optional = "channels:history";

test("the manifest asks for every permission the code needs, and for no other", async () => {
  const methods = await methodsCalled();
  expect(methods.length).toBeGreaterThan(10);
  const needed = methods.flatMap((method) => scopeOf[method] ?? []);
  const asked = new Set([...needed, ...besides].filter((scope) => scope !== optional));
  expect(listed("bot")).toEqual([...asked].sort());
  // What the tests run with is what is shipped.
  expect([...slackState(Date.now).scopes].sort()).toEqual(listed("bot"));
});

test("every event that is heard is in the manifest, and the command keeps its mentions", async () => {
  const source = await readFile(new URL("bot/surfaces/slack/hear.ts", root), "utf8");
  const heard = [...source.matchAll(/app\.event\("(\w+)"/g)].map(([, event = ""]) => event);
  expect(heard.sort()).toEqual(["app_mention", "message"]);
  expect(listed("bot_events")).toEqual(["app_mention", "message.im"]);
  for (const line of [
    "command: /migrate",
    "should_escape: true",
    "socket_mode_enabled: true",
    "is_enabled: true",
  ]) {
    expect(manifest).toContain(line);
  }
  expect(manifest).toMatch(/usage_hint: \S/);
});

test("the guide says what each permission is for, and names every variable", async () => {
  const guide = await readFile(new URL("docs/connect-slack.md", root), "utf8");
  for (const scope of listed("bot")) expect(guide).toContain(`\`${scope}\``);
  const config = await readFile(new URL("bot/config.ts", root), "utf8");
  for (const [variable] of config.matchAll(/SLACK_[A-Z_]+(?=:)/g))
    expect(guide).toContain(variable);
});
