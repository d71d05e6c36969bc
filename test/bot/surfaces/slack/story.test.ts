import { expect, test, vi } from "vitest";
import { buttonsIn, readIn } from "../../../servers/slack-blocks.ts";
import { button, mail, slackWorld } from "./world.ts";

test("a project from its channel: linked, filled, verified, pre-staged by a button, told in the thread", async () => {
  await using one = await slackWorld();
  const { slack, world, said } = one;
  const ana = slack.person("U0ANA");
  mail(world, "anna", 3, 100);

  await ana.command("link acme");
  await said(/is now about acme/);
  await ana.command("add berta@old.example berta@new.example");
  await said(/berta@old\.example/);
  await ana.command("verify");
  await said(/in the queue/);
  await world.carry();
  const verified = await said(/^Verify of acme/);

  await ana.command("prestage 90d");
  const plan = await said(/^Plan|pre-stage/i);
  expect(plan.only).toBeNull();
  await ana.press(button(plan, "Start"));
  await said(/pass 2.*in the queue/);
  expect(readIn(plan)).toMatch(/started by ana/);
  expect(buttonsIn(plan)).toEqual([]);

  await world.narrator.tick();
  const root = await said(/^Pre-stage of acme/);
  expect(root.edits).toBe(0);
  await world.carry();
  await said(/used 1 of 10/);
  expect(root.edits).toBeGreaterThan(0);
  expect(readIn(root)).toMatch(/completed[\s\S]*Migrated: 3/);
  expect(root.thread_ts).toBeNull();
  expect(root.ts).not.toBe(verified.ts);

  mail(world, "anna", 2, 10);
  await ana.mention("delta --yes", root.ts);
  await said(/delta/i);
  await world.carry();
  const thread = one.all().join("\n");
  expect(thread).toContain("2 migrated, 3 already there");

  one.caughtUp();
  await ana.mention("status", root.ts);
  expect((await said(/acme/)).thread_ts).toBe(root.ts);
  expect(world.logged).toEqual([]);
  expect(one.logged).toEqual([]);
});

test("the board is pinned; a newer one takes the pin, and one taken down has none", async () => {
  await using one = await slackWorld();
  const { slack, said } = one;
  const ana = slack.person("U0ANA");
  await ana.command("link acme");
  await said(/acme/);

  await ana.command("board");
  const first = await said(/^Board of acme/);
  await vi.waitFor(() => expect(first.pinned).toBe(true));
  await ana.command("board");
  const second = await said(/^Board of acme/);
  await vi.waitFor(() => expect([first.pinned, second.pinned]).toEqual([false, true]));
  expect(readIn(first)).toContain("has a newer message");
  await ana.command("board remove");
  await vi.waitFor(() => expect(second.pinned).toBe(false));
});

test("an error and a refusal are told to the one who typed", async () => {
  await using one = await slackWorld();
  const { slack, world, said } = one;
  await slack.person("U0ANA").command("link acme");
  await said(/acme/);

  await slack.person("U0ANA").command("prestgae 90d");
  expect((await said(/did you mean/i)).only).toBe("U0ANA");
  await slack.person("U0BO").command("prestage 90d --yes");
  expect((await said(/needs the role operator/)).only).toBe("U0BO");
  await slack.person("U0BO").mention("prestage 90d --yes");
  expect((await said(/needs the role operator/)).only).toBe("U0BO");
  await slack.person("U0ANA").command("link acme", "C0OUT");
  expect(readIn(await said(/not in this channel/))).toContain("/invite @migrate");
  expect(await world.desk.passes.waiting(10)).toEqual([]);
});

test("a guest and somebody from elsewhere read, whatever role they were given", async () => {
  await using one = await slackWorld();
  const { slack, said } = one;
  const ana = slack.person("U0ANA");
  await ana.command("link acme");
  await said(/acme/);
  for (const user of ["U0GUEST", "U0OTHER"]) {
    await ana.command(`roles grant <@${user}|somebody> operator`);
    await said(/./);
    await slack.person(user).command("delta --yes");
    expect((await said(/nothing was done/)).only).toBe(user);
  }
});

test("a password is typed in a form and stands nowhere", async () => {
  await using one = await slackWorld();
  const { slack, world, said } = one;
  const ana = slack.person("U0ANA");
  const password = "canary-in-a-form-4711";
  await ana.command("endpoint secret old");
  const view = await vi.waitFor(() => {
    const [first] = slack.state.views;
    expect(first).toBeDefined();
    return first as NonNullable<typeof first>;
  });
  expect(JSON.stringify(view.view)).not.toContain(password);
  await ana.submit(view, { "secret password": { value: password } });
  expect((await said(/is sealed/)).only).toBe("U0ANA");
  const audit = await world.desk.audit.recent(null, 100);
  expect(audit.map(({ did }) => did).join("\n")).toContain("endpoint secret old");
  const { messages, views, files } = slack.state;
  const everywhere = [slack.asked, messages, views, files, audit, world.logged, one.logged];
  expect(JSON.stringify(everywhere)).not.toContain(password);

  // The same form sent by one who may not is refused when it is sent.
  const theirs = { ...view, id: "V0BO" };
  await slack.person("U0BO").submit(theirs, { "secret password": { value: "another-password" } });
  expect((await said(/needs the role/)).only).toBe("U0BO");
});

test("a file sent beside `import` in a direct message is read, and one beside other words is not", async () => {
  await using one = await slackWorld();
  const { slack, said } = one;
  const ana = slack.person("U0ANA");
  const csv = "source,target\nclara@old.example,clara@new.example\n";
  slack.state.files.push({ id: "F0CSV", name: "people.csv", content: csv, channel: "D0ANA" });
  const files = { subtype: "file_share", files: [{ id: "F0CSV" }] };
  await ana.write("help", files);
  await said(/delta/);
  expect(slack.asked.map(({ method }) => method)).not.toContain("files.info");
  await ana.write("import --project acme", files);
  await said(/clara@old\.example|1 mailbox/);
  expect(slack.asked.map(({ method }) => method)).toContain("files.info");
});

test("what bots write, edits and words to others in a channel start nothing", async () => {
  await using one = await slackWorld();
  const { slack, said } = one;
  const ana = slack.person("U0ANA");
  await ana.write("help", { bot_id: "B0OTHER" });
  await ana.write("help", { subtype: "message_changed" });
  await ana.write("help", { channel_type: "channel", channel: "C0ACME" });
  await slack.person("U0BOT").write("help");
  await ana.write("licenses --project acme");
  await said(/licen/i);
  expect(slack.state.messages).toHaveLength(1);
});
