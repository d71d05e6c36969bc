import type { Handle } from "../../surface.ts";
import { Brought, type Heard, PressValue, TaskValue } from "./activity.ts";
import { pressNote, taskMessage } from "./cards.ts";
import { chatOf, identityOf, pressed, written } from "./incoming.ts";
import type { KnownPlaces } from "./known.ts";
import type { Asking, Pending } from "./pending.ts";
import type { TeamsPeople } from "./people.ts";
import { conversationOf } from "./places.ts";

export interface HearingParts {
  places: KnownPlaces;
  people: TeamsPeople;
  pending: Pending;
  answerWithinMs: number;
  log: { error(facts: Record<string, unknown>, text: string): void };
}

/** What is done with what Teams sends. */
export interface Hearing {
  /** What to answer, once there is something; null to answer at once and call `work` then. */
  hear(heard: Heard, handle: Handle): Response;
  /** Ends when nothing is being handled. */
  idle(): Promise<void>;
}

export type Response = { at: "once"; work(): void } | { at: "end"; body: Promise<object> };

const nothing: Response = { at: "once", work() {} };

export function hearing(parts: HearingParts): Hearing {
  const { places, people, pending, answerWithinMs, log } = parts;
  const busy = new Set<Promise<unknown>>();

  const start = (work: () => Promise<unknown>): Promise<unknown> => {
    const working = work().catch((err) => log.error({ err }, "an event of Teams' failed"));
    busy.add(working);
    void working.finally(() => busy.delete(working));
    return working;
  };

  const invoked = (heard: Heard, asking: Asking, brought: Brought, handle: Handle): Response => {
    const { trigger, answered, release } = pending.open(asking);
    const neutral = (text: string) =>
      asking === "press" ? pressNote(text) : taskMessage({ text });
    const late = setTimeout(
      () => release(neutral("I am on it; the answer follows.")),
      answerWithinMs,
    );
    const work = start(async () => {
      await keep(heard, places);
      await handle(await pressed(heard, brought, trigger, people));
    });
    void work.finally(() => release(neutral("Done.")));
    return { at: "end", body: answered.finally(() => clearTimeout(late)) };
  };

  return {
    hear(heard, handle) {
      const brought = broughtBy(heard);
      if (heard.type === "invoke") {
        const asking = askings[heard.name ?? ""];
        if (asking === undefined || brought === null) return nothing;
        return invoked(heard, asking, brought, handle);
      }
      const typed = heard.type === "message" && heard.from.role !== "bot";
      return {
        at: "once",
        work: () =>
          void start(async () => {
            await keep(heard, places);
            if (!typed) return;
            // A client that knows no Action.Execute sends what the button brings as a message.
            const incoming =
              brought === null
                ? await written(heard, people)
                : await pressed(heard, brought, null, people);
            await handle(incoming);
          }),
      };
    },
    async idle() {
      while (busy.size > 0) await Promise.allSettled(busy);
    },
  };
}

const askings: Record<string, Asking> = {
  "adaptiveCard/action": "press",
  "task/fetch": "fetch",
  "task/submit": "submit",
};

function broughtBy({ type, name, value }: Heard): Brought | null {
  if (type === "message") return Brought.safeParse(value).data ?? null;
  if (name === "adaptiveCard/action") return PressValue.safeParse(value).data?.action.data ?? null;
  return TaskValue.safeParse(value).data?.data ?? null;
}

/** Whatever comes tells how its conversation, and its sender, are reached again. */
async function keep(heard: Heard, places: KnownPlaces): Promise<void> {
  const { conversation } = conversationOf(heard.conversation.id);
  const chat = chatOf(heard);
  await places.keepChat(conversation, chat);
  if (chat.kind === "personal") {
    await places.keepOwn(identityOf(heard), { ...chat, conversation });
  }
}
