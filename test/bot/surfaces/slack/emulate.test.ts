import { expect, test, vi } from "vitest";
import { chatWorld } from "../../../doubles/chat-world.ts";
import { buttonsIn, readIn } from "../../../servers/slack-blocks.ts";
import { startEmulatedSlack } from "../../../servers/slack-emulate.ts";
import { slackState } from "../../../servers/slack-state.ts";
import { freePort, slackAt } from "./open.ts";
import { mail } from "./world.ts";

test("a project over signed HTTP, before a Web API that others wrote", async () => {
  await using slack = await startEmulatedSlack(slackState(Date.now).scopes);
  const port = await freePort();
  const logged: string[] = [];
  await using world = await chatWorld({
    people: ["anna"],
    owners: [`slack:${slack.users.ana}`],
    platforms: [(_, clock) => slackAt(slack, { clock, port, logged })],
  });
  const url = `http://127.0.0.1:${port}/slack/events`;
  const ana = slack.person(slack.users.ana, url);
  const bo = slack.person(slack.users.bo, url);
  const poll = { timeout: 5000, interval: 20 };
  const shown = (what: RegExp) =>
    vi.waitFor(async () => {
      const all = await slack.shown();
      const found = all.findLast((message) => what.test(readIn(message)));
      if (found === undefined)
        throw new Error(`${what}: ${all.map(readIn)} ${world.logged} ${logged}`);
      return found;
    }, poll);
  const answered = (what: RegExp) =>
    vi.waitFor(() => {
      const found = slack.answers.findLast((message) => what.test(readIn(message)));
      if (found === undefined) throw new Error(`${what}: ${slack.answers.map(readIn)} ${logged}`);
      return found;
    }, poll);
  mail(world, "anna", 3, 100);

  await ana.command("link acme");
  await shown(/is now about acme/);
  await ana.command("add berta@old.example berta@new.example");
  await shown(/berta@old\.example/);
  await ana.command("verify");
  await answered(/in the queue/);
  await world.carry();
  await shown(/Verify of acme: completed/);

  await ana.command("prestgae 90d");
  await answered(/did you mean/i);
  await bo.command("prestage 90d");
  await answered(/needs the role operator/);

  await ana.command("prestage 90d");
  const plan = await shown(/^Plan|pre-stage/i);
  const [start] = buttonsIn(plan);
  expect(start?.label).toBe("Start");
  await ana.press({ ts: plan.ts, id: start?.id ?? "", value: start?.value ?? "" });
  await answered(/pass 2[\s\S]*in the queue/);
  expect((await shown(/started by ana at/)).ts).toBe(plan.ts);

  await world.narrator.tick();
  const root = await shown(/^Pre-stage of acme/);
  expect(readIn(root)).not.toContain("completed");
  await world.carry();
  expect((await shown(/^Pre-stage of acme.*completed[\s\S]*Migrated: 3/)).ts).toBe(root.ts);
  expect((await shown(/licenses used 1 of 10/)).thread_ts).toBe(root.ts);

  mail(world, "anna", 2, 10);
  await ana.mention("delta --yes", root.ts);
  await vi.waitFor(async () => expect(await world.desk.newsroom.live()).toHaveLength(1), poll);
  await world.carry();
  await shown(/2 migrated, 3 already there/);
  const before = (await slack.shown()).length;
  await ana.mention("status", root.ts);
  await vi.waitFor(async () => expect((await slack.shown()).length).toBe(before + 1), poll);
  expect((await slack.shown()).at(-1)?.thread_ts).toBe(root.ts);

  const password = "canary-in-a-form-4712";
  await ana.command("endpoint secret old");
  await vi.waitFor(async () => expect(await slack.inspector("views")).toMatch(/>modal</), poll);
  const meta = JSON.stringify({
    command: "endpoint secret old",
    channel: `slack:${slack.channel}`,
    thread: null,
  });
  await ana.submit(
    { id: "V1", hash: "h1", view: { callback_id: "godwit-form", private_metadata: meta } },
    { "secret password": { value: password } },
  );
  await vi.waitFor(
    async () => expect(await slack.inspector("messages")).toMatch(/is sealed/),
    poll,
  );
  expect(await slack.inspector("messages")).not.toContain(password);
  expect(world.logged).toEqual([]);
  expect(logged).toEqual([]);
});
