import { expect, test } from "vitest";
import { formCard, messageCard } from "../../../bot/surfaces/cards/render.ts";
import { hostile } from "../../doubles/hostile.ts";

test("only the first rows of a long table are drawn, and it says how many there are", () => {
  const rows = Array.from({ length: 50 }, (_, n) => [`row ${n}`]);
  const card = JSON.stringify(
    messageCard({ text: "t", title: "t", table: { columns: ["a"], rows } }),
  );
  expect(card).toContain("row 19");
  expect(card).not.toContain("row 20");
  expect(card).toContain("… and 30 more");
});

test("a column is as wide beside the others as what stands in it", () => {
  const rows = [["✔ Delta", "14 of 14 mailboxes since the change", "T+2 h"]];
  const widths = (columns: string[]) => {
    const { body } = messageCard({ text: "t", title: "t", table: { columns, rows } });
    const drawn = (body as { columns?: { width: number }[] }[]).find((one) => one.columns);
    return drawn?.columns?.map(({ width }) => width);
  };

  expect(widths(["step", "state", "due"])).toEqual([8, 27, 6]);
  // A heading of several words may wrap.
  expect(widths(["step by step", "state", "due at last"])).toEqual([8, 27, 6]);
});

test("words stand in text runs alone, which nothing reads as markup, and templates are no templates", () => {
  for (const text of [...hostile, "{{DATE(2026-01-01)}} {{TIME(x)}}"]) {
    const all = { text, title: text, facts: { [text]: text }, notes: [text] };
    const card = JSON.stringify([messageCard(all), messageCard({ text })]);
    expect(card).not.toMatch(/"type":"(TextBlock|FactSet|Media|Image)"/);
    expect(card).not.toMatch(/\{\{(DATE|TIME)\(/);
  }
});

test("a button brings its command, a form its command and that it was a form", () => {
  const button = { label: "Start", command: "start 3", style: "primary" } as const;
  expect(messageCard({ text: "t", buttons: [button] }).actions).toMatchObject([
    { type: "Action.Execute", data: { command: "start 3" }, fallback: { type: "Action.Submit" } },
  ]);
  const form = formCard({
    title: "Password",
    fields: [
      { name: "password", label: "Password", kind: "secret" },
      { name: "file", label: "CSV", kind: "file", optional: true },
    ],
    submit: "Seal it",
    command: "endpoint secret old",
    otherwise: "",
  });
  expect(form.actions).toMatchObject([{ data: { command: "endpoint secret old", form: true } }]);
  expect(JSON.stringify(form.body)).toMatch(/"id":"password".*"style":"Password"/);
  expect(JSON.stringify(form.body)).toMatch(/"id":"file".*"isMultiline":true/);
});

test("a link is opened by a button of its own, and the words beside it are still no markup", () => {
  const link = { label: "Open it", url: "https://queue.example/enter?token=x" };
  expect(messageCard({ text: "t", link }).actions).toMatchObject([
    { type: "Action.OpenUrl", title: "Open it", url: link.url },
  ]);
  expect(messageCard({ text: `See ${link.url}` }).actions).toBeUndefined();
});
