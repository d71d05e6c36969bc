import { expect, test } from "vitest";
import { UserError } from "../../engine/domain/errors.ts";
import type { Checked } from "../../engine/domain/pass.ts";
import { acme, completed, own, passOver } from "../contracts/books.ts";
import { openBooks } from "./books.ts";
import { freshDatabases } from "./databases.ts";

const fresh = freshDatabases("postgres");

test("a pass and a remigration at once: one wins, none runs over a closed mailbox", async () => {
  await using books = await openBooks(await fresh());
  await using second = await books.again();
  const { project, entries } = await acme(books, ["anna", "bob"], { licenses: 200 });
  let now = entries;
  for (let round = 0; round < 20; round += 1) {
    const both = await Promise.allSettled([
      books.passes.submit(passOver(project, now)),
      second.remigrations.begin({
        project: project.id,
        because: "errors",
        reason: "x",
        by: "x",
        approvedBy: null,
        acceptsDuplicates: false,
        entries: now.map(({ id }) => ({ entry: id, target: null })),
        ticks: [],
      }),
    ]);
    for (const one of both) {
      if (one.status === "rejected") expect(one.reason).toBeInstanceOf(UserError);
    }
    expect(both.filter(({ status }) => status === "fulfilled").length).toBe(1);
    const [pass] = both;
    if (pass.status === "fulfilled") await books.passes.control(pass.value, "stop", "x");
    now = await books.projects.entries(project.id);
  }
  expect((await books.licenses.balance(project.id)).reserved).toBe(0);
}, 60_000);

test("the first ends while its pass is stopped: licenses balance and nothing is stuck", async () => {
  await using books = await openBooks(await fresh());
  await using second = await books.again();
  const names = Array.from({ length: 6 }, (_, n) => `user${n}`);
  const { project, entries } = await acme(books, names, { licenses: 500 });
  const checked: Checked = { carried: 1, missing: 0, duplicates: 0, passed: true };
  let now = entries;
  for (let round = 0; round < 12; round += 1) {
    await books.remigrations.begin({
      project: project.id,
      because: "errors",
      reason: "x",
      by: "x",
      approvedBy: null,
      acceptsDuplicates: false,
      entries: now.map(({ id }) => ({ entry: id, target: null })),
      ticks: [],
    });
    now = await books.projects.entries(project.id);
    const pass = await books.passes.submit(passOver(project, now));
    const [run] = await books.passes.waiting(10);
    await using owned = await own(books, now[0]!);
    expect(await books.passes.begin(run!, owned.fence)).toBe(true);
    const both = await Promise.allSettled([
      books.passes.end(run!, { ...completed, checked }, owned.fence),
      second.passes.control(pass, round % 2 === 0 ? "stop" : "pause", "x"),
    ]);
    expect(both.map(({ status }) => status)).toEqual(["fulfilled", "fulfilled"]);
    await books.passes.control(pass, "stop", "x");
    const left = await books.passes.snapshot(pass);
    expect(["queued", "processing", "paused"]).not.toContain(left.state);
  }
  expect((await books.licenses.balance(project.id)).reserved).toBe(0);
}, 60_000);
