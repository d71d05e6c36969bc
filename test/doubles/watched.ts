import { expect } from "vitest";
import { watchDue } from "../../engine/cutover.ts";
import type { Cutover } from "../../engine/domain/cutover.ts";
import type { LateSums } from "../../engine/domain/late-mail.ts";
import type { Desk } from "../../engine/submit.ts";
import { type ChatWorld, chatWorld } from "./chat-world.ts";

export const minute = 60_000;
export const quarter = 15 * minute;
export const start = Date.parse("2026-11-23T09:00:00Z");

/** A cutover whose looks a test calls for. */
export interface Watched extends AsyncDisposable {
  world: ChatWorld;
  desk: Desk;
  cutover(): Promise<Cutover>;
  late(): Promise<LateSums>;
  /** Lets so much time pass, then looks what is due; the desk with something in front of it. */
  pass(ms: number, desk?: Desk): Promise<void>;
  /** The change is made, and the offer answered by a delta that ran. */
  swept(): Promise<void>;
  deliver(who: string): void;
}

/** The domain of two mailboxes, watched for a change to be followed by an hour without late mail. */
export async function watched(): Promise<Watched> {
  const world = await chatWorld({ start, people: ["anna", "bo"] });
  const { desk, dns, clock, system } = world;
  dns.names(["mx.old.example"], 60);
  await world.say("cutover watch old.example --quiet 1");
  const [{ n }] = (await desk.cutovers.live()) as [Cutover];
  let sent = 0;
  const one: Watched = {
    world,
    desk,
    cutover: async () => (await desk.cutovers.look(n))!,
    late: () => desk.cutovers.late(n),
    async pass(ms, twisted = desk) {
      clock.advance(ms);
      await watchDue(twisted);
    },
    async swept() {
      dns.names(["mx.new.example"], 60);
      await one.pass(minute);
      await one.pass(0);
      await world.say("delta --yes");
      await world.run();
      await one.pass(5 * minute);
      expect((await one.cutover()).offer?.by).not.toBeNull();
    },
    deliver(who) {
      sent += 1;
      const bytes = Buffer.from(`From: x@shop.example\r\nSubject: ${sent}\r\n\r\n${sent}\r\n`);
      system.deliver(`${who}@old.example`, "INBOX", bytes, { createdAt: clock.now() });
    },
    [Symbol.asyncDispose]: () => world[Symbol.asyncDispose](),
  };
  return one;
}
