import { describe, expect, test } from "vitest";
import { boardShown } from "../../bot/board.ts";
import { makeCutoverTeller } from "../../bot/cutover-teller.ts";
import { watchDue } from "../../engine/cutover.ts";
import type { MxAnswer } from "../../engine/domain/dns.ts";
import { TransientError } from "../../engine/domain/errors.ts";
import { chatWorld } from "../doubles/chat-world.ts";
import { minute, quarter, type Watched, watched } from "../doubles/watched.ts";

const hour = 60 * minute;
const before = ["mx.old.example"];
const after = ["mx.new.example"];

/** What the channel hears while this happens, and from a teller that knows nothing of before when it is over. */
async function heard(one: Watched, happens: () => unknown): Promise<string> {
  const { desk, surface } = one.world;
  const last = await desk.transcript.last();
  await happens();
  await makeCutoverTeller(desk, [surface]).tick();
  const lines = await desk.transcript.after(last, 1000);
  return lines.map(({ kind, text }) => `${kind}: ${text}`).join("\n");
}

/** So many hours, looked at and told by the quarter. */
async function hours(one: Watched, count: number): Promise<void> {
  for (let n = 0; n < count * 4; n += 1) {
    await one.pass(quarter);
    await makeCutoverTeller(one.desk, [one.world.surface]).tick();
  }
}

/** The change is made, the delta ran, and the verdict was told. */
async function judged(...lines: string[]): Promise<Watched> {
  const one = await watched();
  for (const line of lines) await one.world.say(line);
  await one.swept();
  await hours(one, 2);
  expect(await one.cutover()).toMatchObject({ safeAt: expect.any(Number) });
  return one;
}

/** The mailboxes that are opened from now on, each once this has let it. */
function opening({ world }: Watched, answers: (mailbox: string) => void = () => {}): string[] {
  const opened: string[] = [];
  const { source } = world.system;
  world.system.source = async (address) => {
    opened.push(address.mailbox);
    answers(address.mailbox);
    return source(address);
  };
  return opened;
}

const down = () => {
  throw new TransientError("gone", "connection");
};

describe("the old system is ticked off", () => {
  const refusal = (why: string) =>
    `It is not safe to switch the old system off: ${why}. Nothing was ticked. If it is off all the same, type \`board tick switch-off --anyway\`.`;
  const eve = "add eve@third.example eve@elsewhere.example";

  test.each<[what: string, lines: string[], verdict: RegExp, refused: string | null]>([
    ["where every mailbox is safe", [], /: safe to switch the old system off\. Every/, null],
    [
      "not while one mailbox belongs to no cutover, and the verdict says how many it is about",
      [eve],
      /: safe for the 2 of 3 mailboxes of old\.example; the others are not looked at\. Every/,
      refusal("not every mailbox belongs to a domain that is watched"),
    ],
    [
      "not while one mailbox belongs to a cutover that is not safe",
      [eve, "cutover watch third.example --to mx.far.example"],
      /: safe for the 2 of 3 mailboxes of old\.example; the others are not looked at\. Every/,
      refusal("third.example: the MX was not changed"),
    ],
  ])("%s", async (_, lines, verdict, refused) => {
    await using one = await watched();
    for (const line of lines) await one.world.say(line);
    await one.swept();
    expect(await heard(one, () => hours(one, 2))).toMatch(verdict);

    const typed = await one.world.say("board tick switch-off");

    if (refused === null) expect(typed.result).toBe("accepted");
    else expect([typed.result, typed.lines.at(-1)?.text]).toEqual(["refused", refused]);
    const { result } = await one.world.say("board tick switch-off --anyway");
    expect(result).toBe("accepted");
  });

  test("not where no cutover was ever watched, but for `--anyway`", async () => {
    await using world = await chatWorld({ people: ["anna"] });

    const { result, lines } = await world.say("board tick switch-off");
    const forced = await world.say("board tick switch-off --anyway");

    expect([result, lines.at(-1)?.text]).toEqual([
      "refused",
      refusal("no cutover is watched, so that nobody knows"),
    ]);
    expect(forced.result).toBe("accepted");
  });
});

describe("the watch is over", () => {
  const ends: [line: string, why: string][] = [
    ["board tick switch-off --anyway", "the old system is off, by local:owner"],
    ["project close --project acme", "acme is closed, by local:owner"],
  ];

  test.each(ends)(
    "with `%s`: no mailbox is opened, and the board keeps its ticks",
    async (line) => {
      await using one = await judged("board", "board tick ttl");
      const { desk } = one;
      const done = async () => {
        const { steps } = await boardShown(await desk.projects.byId(1), desk);
        return steps.filter((step) => step.done).map(({ step }) => step);
      };
      const opened = opening(one);
      await hours(one, 1);
      expect(opened.splice(0), "the control").toContain("bo@old.example");
      const ticked = await done();
      expect(ticked).toEqual(expect.arrayContaining(["ttl", "mx", "delta", "sweep"]));

      await one.world.say(line);

      expect(await heard(one, () => hours(one, 3))).toBe("");
      expect(opened).toEqual([]);
      expect(await done()).toEqual(expect.arrayContaining(ticked));
    },
  );

  test.each(ends)("with `%s`: its message and its open question say so", async (line, why) => {
    await using one = await watched();
    one.world.dns.names(after, 60);
    expect(await heard(one, () => one.pass(minute))).toContain("post: MX of old.example moved");

    const { lines } = await one.world.say(line);

    const edits = lines.filter(({ kind }) => kind === "edit");
    expect(edits.map(({ text }) => text)).toEqual(
      Array.from({ length: 2 }, () => `The cutover of old.example is no longer watched: ${why}.`),
    );
    expect(new Set(edits.map(({ thread }) => thread)).size).toBe(2);
    expect(await heard(one, () => hours(one, 1))).toBe("");
  });
});

describe("a verdict that was told", () => {
  const deliver = (one: Watched, createdAt: number) =>
    void one.world.system.deliver("bo@old.example", "INBOX", Buffer.from("Subject: x\r\n\r\nx"), {
      createdAt,
    });
  const stale = ({ world }: Watched) =>
    world.dns.says({
      authoritative: [answered("ns1", after)],
      resolvers: [answered("192.0.2.1", after), answered("192.0.2.2", before)],
    });

  test.each<[what: string, happens: (one: Watched) => unknown, back: string | null]>([
    ["holds where nothing happens", () => {}, null],
    ["holds where the old servers are down, as they are then", (one) => opening(one, down), null],
    [
      "holds where one mailbox hangs up once",
      (one) => {
        let once = true;
        opening(one, (mailbox) => {
          const hangsUp = once && mailbox === "bo@old.example";
          if (hangsUp) once = false;
          if (hangsUp) down();
        });
      },
      null,
    ],
    [
      "holds after a restart three hours later, the DNS asked and told of before the mailboxes",
      async (one) => {
        const { cutovers } = one.desk;
        const claim: typeof cutovers.claim = async (n, what, due, next) =>
          what === "dns" && (await cutovers.claim(n, what, due, next));
        one.world.clock.advance(3 * hour);
        await watchDue({ ...one.desk, cutovers: { ...cutovers, claim } });
        await makeCutoverTeller(one.desk, [one.world.surface]).tick();
      },
      null,
    ],
    ["falls with late mail", (one) => deliver(one, one.world.clock.now()), "1 mail came|late mail"],
    ["falls with an item that is left", (one) => deliver(one, Date.UTC(2025, 1, 1)), "1 item of"],
    [
      "falls with a resolver",
      stale,
      "1 resolver \\(192\\.0\\.2\\.2\\) does not name the new hosts",
    ],
  ])("%s", async (_, happens, back) => {
    await using one = await judged();

    const said = await heard(one, async () => {
      await happens(one);
      await hours(one, 2);
    });

    if (back === null) expect(said).not.toContain("do NOT");
    else expect(said).toMatch(new RegExp(`post: old\\.example: do NOT switch .*(${back})`));
  });

  test("is shown with what could not be asked since", async () => {
    await using one = await judged();
    const asked = await one.world.hear("cutover status");
    opening(one, down);
    await hours(one, 1);

    const status = await one.world.hear("cutover status");

    expect(asked).not.toContain("Since then");
    expect(status).toContain("safe to switch the old system off");
    expect(status).toMatch(/Since then: .*2 of 2 mailboxes could not be asked/);
  });
});

function answered(server: string, hosts: string[]) {
  const named = hosts.map((host) => ({ host, preference: 10 }));
  return { server, outcome: "answered" as const, hosts: named, ttl: 3600 };
}

test.each(["board tick switch-off --anyway", "project close --project acme"])(
  "`%s` before the verdict leaves the board its ticks",
  async (line) => {
    await using one = await watched();
    await one.swept();
    const { project } = await one.cutover();
    const done = async () => {
      const shown = await boardShown(await one.desk.projects.byId(project), one.desk);
      return shown.steps.filter((step) => step.done).map(({ step }) => step);
    };
    const ticked = await done();

    await one.world.say(line);

    expect(ticked).toContain("mx");
    expect(await done()).toEqual(expect.arrayContaining(ticked));
  },
);

describe("a verdict that was told holds where, for one look,", () => {
  const says = (server: string): MxAnswer => {
    const hosts = after.map((host) => ({ host, preference: 10 }));
    return { server, outcome: "answered", hosts, ttl: 60 };
  };
  const silent = (server: string): MxAnswer => ({
    server,
    outcome: "silent",
    reason: "no answer",
  });
  const whole = { authoritative: [says("ns1")], resolvers: [says("r1"), says("r2")] };

  test.each([
    ["nothing happens", whole],
    [
      "no server answers",
      { authoritative: [silent("ns1")], resolvers: [silent("r1"), silent("r2")] },
    ],
    ["one of two resolvers is silent", { ...whole, resolvers: [says("r1"), silent("r2")] }],
    ["its own servers are silent", { ...whole, authoritative: [silent("ns1")] }],
  ])("%s", async (_, seen) => {
    await using one = await judged();

    const told = await heard(one, async () => {
      one.world.dns.says(seen);
      await one.pass(5 * minute);
      await makeCutoverTeller(one.desk, [one.world.surface]).tick();
      one.world.dns.says(whole);
      await one.pass(5 * minute);
    });

    expect(told).not.toMatch(/^post:/m);
  });
});
