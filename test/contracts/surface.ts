import { describe, expect, test } from "vitest";
import type { Form, Message } from "../../bot/message.ts";
import type { Platform } from "../../bot/surface.ts";
import type { Thread } from "../../engine/domain/thread.ts";

/** A message as people see it now. */
export interface Shown {
  kind: "root" | "reply" | "private";
  thread: Thread;
  /** Everything a person reads in it, the marks of code gone. */
  text: string;
  buttons: string[];
}

/** A surface with nobody else in front of it. */
export interface SurfaceUnderTest extends AsyncDisposable {
  platform: Platform;
  channel: Thread;
  person: string;
  /** In the order they came; a message that was edited as it is now. */
  shown(): Promise<Shown[]>;
}

const plan: Message = {
  text: "Delta of acme, 2 mailboxes.\n  licenses: uses 2, 8 free\nType `start 3` or `cancel 3`.",
  title: "Delta of acme, 2 mailboxes",
  facts: { Licenses: "uses 2, 8 free", "Passes left": "9" },
  notes: ["Type `start 3` or `cancel 3`."],
  buttons: [
    { label: "Start", command: "start 3", style: "primary" },
    { label: "Cancel", command: "cancel 3" },
  ],
};

const form: Form = {
  title: "Master password",
  intro: "For master at old.",
  fields: [{ name: "password", label: "Password", kind: "secret" }],
  submit: "Seal it",
  command: "endpoint secret old",
  otherwise: "Nothing was done.",
};

/** What every surface must do, whatever platform it speaks to. */
export function surfaceContract(name: string, open: () => Promise<SurfaceUnderTest>): void {
  describe(`${name} as a surface`, () => {
    const on = (what: string, work: (one: SurfaceUnderTest) => Promise<void>) =>
      test(what, async () => {
        await using one = await open();
        await work(one);
      });

    on("its threads begin with its name and belong to their channel", async (one) => {
      const { surface } = one.platform;
      expect(one.channel.split(":")).toHaveLength(2);
      expect(one.channel.startsWith(`${surface.name}:`)).toBe(true);
      expect(one.person.startsWith(`${surface.name}:`)).toBe(true);
      const thread = await surface.post(one.channel, { text: "Hello." });
      expect(thread.startsWith(`${one.channel}:`)).toBe(true);
      expect(thread.split(":")).toHaveLength(3);
    });

    on("a post shows all there is to read, and its buttons", async (one) => {
      await one.platform.surface.post(one.channel, plan);
      const [root] = await one.shown();
      expect(root?.kind).toBe("root");
      for (const part of ["Delta of acme", "uses 2, 8 free", "start 3"]) {
        expect(root?.text).toContain(part);
      }
      expect(root?.buttons).toEqual(["Start", "Cancel"]);
    });

    on("an edit changes the message in its place and takes its buttons away", async (one) => {
      const { surface } = one.platform;
      const thread = await surface.post(one.channel, plan);
      await surface.post(one.channel, { text: "Another." });
      await surface.edit(thread, { text: "Plan 3: started by Ana." });
      const roots = (await one.shown()).filter((shown) => shown.kind === "root");
      expect(roots).toHaveLength(2);
      expect(roots[0]?.text).toContain("started by Ana");
      expect(roots[0]?.text).not.toContain("uses 2");
      expect(roots[0]?.buttons).toEqual([]);
      expect(roots[1]?.text).toContain("Another.");
    });

    on("replies stand in their thread, in order", async (one) => {
      const { surface } = one.platform;
      const thread = await surface.post(one.channel, { text: "Root." });
      await surface.post(one.channel, { text: "Another root." });
      await surface.reply(thread, { text: "First." });
      await surface.reply(thread, { text: "Second." }, { key: "news:2", aloud: true });
      const replies = (await one.shown()).filter((shown) => shown.kind === "reply");
      expect(replies.map((shown) => shown.thread)).toEqual([thread, thread]);
      expect(replies.map((shown) => shown.text.trim())).toEqual(["First.", "Second."]);
    });

    on("what is private is no post and no reply", async (one) => {
      const { surface } = one.platform;
      const to = { person: one.person, place: one.channel, trigger: null };
      await surface.private(to, { text: "Only for you: `help`." });
      const shown = await one.shown();
      expect(shown.map((line) => line.kind)).toEqual(["private"]);
      expect(shown[0]?.text).toContain("Only for you: help.");
    });

    on("a form that cannot be opened now is asked for again by a private button", async (one) => {
      const { surface } = one.platform;
      await surface.form({ person: one.person, place: one.channel, trigger: null }, form);
      const shown = await one.shown();
      expect(shown.map((line) => line.kind)).toEqual(["private"]);
      expect(shown[0]?.text).toContain("Master password");
    });

    on("what has a key is found again, and nothing else is", async (one) => {
      const { surface } = one.platform;
      const thread = await surface.post(one.channel, { text: "Root." }, "root:7");
      expect(await surface.find(one.channel, "root:8")).toBeNull();
      // A platform that cannot be asked answers null, and then is told twice rather than never.
      expect([thread, null]).toContain(await surface.find(one.channel, "root:7"));
    });

    on("a root message is kept at hand or not, and stays as it is", async (one) => {
      const { surface } = one.platform;
      const thread = await surface.post(one.channel, { text: "Board." });
      await surface.pin(thread, true);
      await surface.pin(thread, true);
      await surface.pin(thread, false);
      await surface.pin(thread, false);
      expect((await one.shown()).map((line) => line.text)).toEqual(["Board."]);
    });

    on("a long message is shortened rather than refused", async (one) => {
      const { surface } = one.platform;
      const rows = Array.from({ length: 300 }, (_, n) => [
        `mailbox-${n}@old.example`,
        "x".repeat(80),
      ]);
      const text = rows.map((row) => row.join(" ")).join("\n");
      const thread = await surface.post(one.channel, {
        text,
        title: "Long",
        table: { columns: ["a", "b"], rows },
      });
      await surface.edit(thread, { text });
      await surface.reply(thread, { text });
      expect(await one.shown()).toHaveLength(2);
    });

    on("nobody is meant by nonsense", async (one) => {
      const { surface } = one.platform;
      expect(await surface.person("no such person!", one.channel)).toBeNull();
      expect((await surface.person(one.person, one.channel))?.id).toBe(one.person);
    });
  });
}
