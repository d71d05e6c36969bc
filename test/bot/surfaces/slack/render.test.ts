import { describe, expect, test } from "vitest";
import type { Message } from "../../../../bot/message.ts";
import { draw } from "../../../../bot/surfaces/slack/render.ts";
import { hostile } from "../../../doubles/hostile.ts";
import { lengthFault } from "../../../servers/slack-blocks.ts";
import { aliveInBlocks, aliveInText } from "./alive.ts";

const levels = ["modern", "plain", "text"] as const;

/** The same words in every place of a message. */
function everywhere(words: string): Message[] {
  const rest = {
    facts: { [words]: words },
    table: { columns: [words, "b"], rows: [[words, words]] },
    bar: 0.5,
    notes: [words, `Type \`status\` for ${words}.`],
    buttons: [{ label: words, command: `status ${words}` }],
  };
  return [
    { text: words },
    { text: `Failed: ${words}`, title: words, ...rest },
    { text: words, ...rest },
  ];
}

describe.each(levels)("drawn on the level %s", (level) => {
  test("sixty hostile strings mention, link, format and hide nothing", () => {
    const alive = hostile.flatMap((words) =>
      everywhere(words).flatMap((message) => {
        const { text, blocks } = draw(message, level);
        return [...aliveInText(text), ...aliveInBlocks(blocks ?? [])].map(
          (fault) => `${fault} in ${words.slice(0, 60)}`,
        );
      }),
    );
    expect(alive).toEqual([]);
  });

  test("nothing is longer than Slack takes", () => {
    const long = "&<>".repeat(5000);
    const rows = Array.from({ length: 500 }, () => Array.from({ length: 30 }, () => long));
    for (const text of [long, `${"& ".repeat(300)}\n`.repeat(200)]) {
      const drawn = draw(
        {
          text,
          table: { columns: rows[0] ?? [], rows },
          notes: rows.map(() => text),
          buttons: rows.map(() => ({ label: text, command: text })),
        },
        level,
      );
      expect(drawn.text.length).toBeLessThanOrEqual(4000);
      expect(drawn.blocks?.length ?? 0).toBeLessThanOrEqual(50);
      expect(lengthFault((drawn.blocks ?? []) as never)).toBeNull();
    }
  });

  test("words between backticks are set as code", () => {
    const { text, blocks } = draw({ text: "Type `status 1` now." }, level);
    expect(text).toBe("Type `status 1` now.");
    if (level !== "modern") return;
    expect(JSON.stringify(blocks)).toContain(
      '{"type":"text","text":"status 1","style":{"code":true}}',
    );
  });
});

test("the same strings as they are do come alive, so that what looks for it can see", () => {
  const seen = hostile.filter((words) => aliveInText(words).length > 0);
  expect(seen.length).toBeGreaterThan(40);
  const section = (type: string) => ({ type: "section", text: { type, text: "*<!channel>*" } });
  expect(aliveInBlocks([section("mrkdwn")])).toEqual(["kind mrkdwn"]);
  expect(aliveInBlocks([{ type: "text", text: "https://evil.example" }])).toHaveLength(1);
});

test("a command too long for a button is no button, and one that fits is whole", () => {
  const fits = `delta --yes ${"a".repeat(1900)}`;
  const buttons = [
    { label: "Long", command: `delta --yes ${"a".repeat(2000)}` },
    { label: "Fits", command: fits },
  ];
  const drawn = JSON.stringify(draw({ text: "Plan.", buttons }, "modern").blocks);
  expect(drawn).toContain(`"value":"${fits}"`);
  expect(drawn).not.toContain("Long");
  expect(draw({ text: "Plan.", buttons: buttons.slice(0, 1) }, "modern").blocks).toHaveLength(1);
});

test("a text as long as `help` is shown whole", () => {
  const text = Array.from({ length: 50 }, (_, n) => `line ${n} ${"x".repeat(70)}`).join("\n");
  for (const level of ["modern", "plain"] as const) {
    expect(JSON.stringify(draw({ text }, level).blocks)).toContain("line 49");
  }
});

test("only a column with long cells wraps: Slack would cut them", () => {
  const table = { columns: ["step", "state"], rows: [["Delta", "14 of 14 mailboxes since then"]] };
  const { blocks } = draw({ text: "Board.", table }, "modern");
  expect(blocks?.find(({ type }) => type === "table")).toMatchObject({
    column_settings: [{ is_wrapped: false }, { is_wrapped: true }],
  });
});

test("a long table says how much is left out, and an empty cell stays a cell", () => {
  const rows = Array.from({ length: 25 }, (_, n) => [`mailbox ${n}`, ""]);
  for (const level of levels) {
    const { text, blocks } = draw({ text: "List.", table: { columns: ["a", "b"], rows } }, level);
    expect(JSON.stringify([text, blocks])).toContain("… and 15 more");
  }
});

test("a link of our own is one on every level, and the same address in a text is none", () => {
  const url = "https://queue.example/enter?token=a_b-c";
  const link = { label: "Open it", url };
  const modern = draw({ text: "t", link }, "modern").blocks;
  expect(JSON.stringify(modern)).toContain(JSON.stringify({ type: "link", url, text: "Open it" }));
  expect(JSON.stringify(draw({ text: "t", link }, "plain").blocks)).toContain(`<${url}|Open it>`);
  expect(draw({ text: "t", link }, "text").text).toBe(`t\n<${url}|Open it>`);
  for (const level of ["modern", "plain", "text"] as const) {
    const drawn = JSON.stringify(draw({ text: `See ${url}` }, level));
    expect(drawn).not.toMatch(/"type":"link"|https:\/\//);
  }
});
