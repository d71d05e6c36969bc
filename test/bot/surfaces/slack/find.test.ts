import { expect, test } from "vitest";
import { alone } from "./open.ts";

const here = "slack:C0ACME";

test("what stands behind hundreds of replies is found, and what stands nowhere is not", async () => {
  await using one = await alone();
  const { slack, surface } = one;
  slack.state.scopes.add("channels:history");
  const root = await surface.post(here, { text: "Root." }, "root");
  for (let n = 0; n < 450; n += 1) await surface.reply(root, { text: "More." }, { key: `r${n}` });
  expect(await surface.find(root, "r449")).toBe(root);
  expect(await surface.find(root, "r450")).toBeNull();
  expect(await surface.find(here, "root")).toBe(root);
});

test("a channel that cannot be seen keeps nobody from looking back in others", async () => {
  await using one = await alone();
  const { slack, surface } = one;
  slack.state.scopes.add("channels:history");
  const root = await surface.post(here, { text: "Root." }, "root");
  expect(await surface.find("slack:C0NONE", "root")).toBeNull();
  expect(await surface.find(here, "root")).toBe(root);
});

test("channels whose past is closed are asked once, and direct messages are read all the same", async () => {
  await using one = await alone();
  const { slack, surface } = one;
  const direct = await surface.post("slack:D0ANA", { text: "Root." }, "root");
  for (let n = 0; n < 3; n += 1) expect(await surface.find(here, "root")).toBeNull();
  expect(slack.asked.filter(({ method }) => method === "conversations.history")).toHaveLength(1);
  expect(await surface.find("slack:D0ANA", "root")).toBe(direct);
});
