import { afterEach, describe, expect, test } from "vitest";
import type { PassKind, RunEnd } from "../../engine/domain/pass.ts";
import { type Policy, policyFrom, presets } from "../../engine/domain/policy.ts";
import type { Entry, Project } from "../../engine/domain/project.ts";
import { acme, type Begun, carry, completed, failed, item, own } from "../contracts/books.ts";
import { openBooks } from "../db/books.ts";
import { freshDatabases } from "../db/databases.ts";
import { type OpenedBooks, passOf, planOf } from "./starts.ts";

// The edges of what table.test.ts shows: the window to the millisecond, and whose policy counts.

const day = 24 * 60 * 60 * 1000;
const names = ["rackspace", "bittitan", "cloudiway"] as const;

const fresh = freshDatabases("sqlite");

let books: OpenedBooks;
let project: Project;
let anna: Entry;
let uid = 0;
afterEach(() => books[Symbol.asyncDispose]());

async function under(policy: Policy): Promise<void> {
  books = await openBooks(await fresh());
  const made = await acme(books, ["anna"], { policy });
  project = made.project;
  [anna] = made.entries as [Entry];
}

/** Planned, submitted and begun. */
async function started(kind: PassKind, asked = false): Promise<Begun> {
  const plan = await planOf(books, project.id, { kind }, asked);
  const pass = await books.passes.submit(passOf(plan));
  const [run] = (await books.passes.snapshot(pass)).runs;
  const owned = await own(books, anna);
  await books.passes.begin(run!.id, owned.fence);
  const inbox = await books.ledger.folder(anna.id, "INBOX", owned.fence);
  const leave = () => owned[Symbol.asyncDispose]();
  const { fence } = owned;
  return { pass, run: run!.id, fence, folder: inbox, [Symbol.asyncDispose]: leave };
}

/** A pass that carries one mail. */
async function pass(kind: PassKind, asked = false, end: RunEnd = completed): Promise<void> {
  await using run = await started(kind, asked);
  uid += 1;
  await carry(books, run, [item(uid)]);
  await books.passes.end(run.run, end, run.fence);
}

const needs = async (kind: PassKind, asked = false) =>
  (await planOf(books, project.id, { kind }, asked)).licensesNeeded;
const consumed = async () => (await books.licenses.balance(project.id)).consumed;
const used = async () => (await books.projects.entry(anna.id)).passesUsed;

describe.each(names)("under %s", (name) => {
  test("prestage, full and delta count, and one person is enough", async () => {
    await under(presets[name]);

    expect((await books.projects.byId(project.id)).policy).toMatchObject({
      preset: name,
      counts: ["prestage", "full", "delta"],
      secondPerson: { remigration: false, grants: false, passesOver: null },
    });
  });

  test("a retry of a mailbox without a license uses one and is no pass in the count", async () => {
    await under(presets[name]);
    expect(await needs("retry")).toBe(1);

    await pass("retry");

    expect([await consumed(), await used()]).toEqual([1, 0]);
    expect(await needs("delta")).toBe(0);
  });
});

test("a project that says nothing is under rackspace", () => {
  expect(policyFrom({})).toEqual(presets.rackspace);
});

describe("the window of deltas", () => {
  test("counts from the first success, not from the first mail", async () => {
    await under(presets.cloudiway);
    const start = books.clock.now();
    await pass("full", false, failed);
    books.clock.set(start + 50 * day);
    await pass("delta");

    books.clock.set(start + 140 * day);
    expect(await needs("delta")).toBe(0);

    books.clock.set(start + 140 * day + 1);
    await expect(needs("delta")).rejects.toThrow("its 90 days of deltas are over");
  });

  test.each([
    { overLimit: "ask", asked: true, answer: 1 },
    { overLimit: "ask", asked: false, answer: /there is nobody to ask/ },
    { overLimit: "consume", asked: true, answer: 1 },
    { overLimit: "consume", asked: false, answer: 1 },
    { overLimit: "block", asked: true, answer: /the policy says block/ },
    { overLimit: "block", asked: false, answer: /the policy says block/ },
  ] as const)("once over: $overLimit, asked $asked", async ({ overLimit, asked, answer }) => {
    await under({ ...presets.cloudiway, preset: "custom", overLimit });
    await pass("full");
    books.clock.set(books.clock.now() + 90 * day + 1);

    if (answer !== 1) {
      await expect(needs("delta", asked)).rejects.toThrow(answer);
      expect(await consumed()).toBe(1);
      return;
    }
    await pass("delta", asked);

    expect([await consumed(), await used()]).toEqual([2, 1]);
    expect(await needs("delta")).toBe(0);
  });
});

describe("whether a pre-stage counts", () => {
  const counting: Policy = { ...presets.rackspace, preset: "custom" };
  const not: Policy = { ...counting, counts: ["full", "delta"] };

  test.each([
    { what: "not where its policy says so", begins: not, later: counting, counted: 0, next: 1 },
    { what: "where its policy says so", begins: counting, later: not, counted: 1, next: 1 },
  ])("$what, whatever the project's says meanwhile", async ({ begins, later, counted, next }) => {
    await under(begins);
    {
      await using run = await started("prestage");
      await books.projects.change(project.id, { policy: later });
      uid += 1;
      await carry(books, run, [item(uid)]);
      await books.passes.end(run.run, completed, run.fence);
    }
    expect(await used()).toBe(counted);

    await pass("prestage");

    expect(await used()).toBe(next);
  });
});
