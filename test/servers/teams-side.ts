import type { FakeMember, FakeTeams } from "./teams.ts";

/** What Teams sends a bot, said by a test. */
export interface TeamsSide {
  /** Somebody mentions the bot in a channel, or answers in a thread of it. */
  mention(text: string, how?: How): Promise<Response>;
  /** A button that is an Action.Execute. */
  press(command: string, how?: How & { place?: string }): Promise<Response>;
  /** A button that opens a form, and a form that is sent. */
  task(kind: "fetch" | "submit", data: Record<string, unknown>, how?: How): Promise<Response>;
  send(change: Record<string, unknown>, headers?: Record<string, string>): Promise<Response>;
}

export interface How {
  as?: FakeMember;
  /** A channel, `personal:…` or `group:…`. */
  chat?: string;
  root?: string;
  message?: string;
  id?: string;
  entities?: unknown[];
}

const bot = { id: "28:godwit", name: "Migrate" };
export const tenant = "11111111-2222-3333-4444-555555555555";
export const channelId = "19:general@thread.tacv2";

export const ana: FakeMember = person("ana", "Ana Alvarez");
export const bo: FakeMember = person("bo", "Bo Berg");

function person(id: string, name: string): FakeMember {
  return {
    id: `29:${id}`,
    aadObjectId: `aad-${id}`,
    name,
    email: `${id}@corp.example`,
    userRole: "user",
    tenantId: tenant,
  };
}

export function teamsSide(url: string, fake: Pick<FakeTeams, "url">): TeamsSide {
  let count = 0;
  const base = ({ as = ana, chat = channelId, root, id }: How) => {
    count += 1;
    const kind = /^a:/.test(chat) ? "personal" : chat.endsWith(".v2") ? "groupChat" : "channel";
    const own = id ?? `16${String(count).padStart(11, "0")}`;
    const threaded = kind === "channel" ? `${chat};messageid=${root ?? own}` : chat;
    return {
      id: own,
      timestamp: "2026-11-21T08:00:00.000Z",
      channelId: "msteams",
      serviceUrl: fake.url,
      from: { id: as.id, name: as.name, aadObjectId: as.aadObjectId },
      recipient: bot,
      conversation: { id: threaded, conversationType: kind, tenantId: tenant },
      channelData: { tenant: { id: tenant } },
    };
  };
  const send: TeamsSide["send"] = (change, headers = {}) =>
    fetch(url, {
      method: "POST",
      headers: { "content-type": "application/json", ...headers },
      body: JSON.stringify({ ...base({}), ...change }),
    });
  return {
    send,
    mention: (text, how = {}) =>
      send({
        ...base(how),
        type: "message",
        text: `<at>${bot.name}</at> ${text}\n`,
        entities: [
          { type: "mention", text: `<at>${bot.name}</at>`, mentioned: bot },
          ...(how.entities ?? []),
        ],
      }),
    press: (command, { place, message, ...how } = {}) =>
      send({
        ...base(how),
        type: "invoke",
        name: "adaptiveCard/action",
        ...(message === undefined ? {} : { replyToId: message }),
        value: {
          action: { type: "Action.Execute", verb: "command", data: { command, place } },
          trigger: "manual",
        },
      }),
    task: (kind, data, how = {}) =>
      send({
        ...base(how),
        type: "invoke",
        name: `task/${kind}`,
        value: { data, context: { theme: "default" } },
      }),
  };
}

/** All text a person reads in a card, and the titles of its buttons. */
export function readCard(card: unknown): { text: string; buttons: string[] } {
  const lines: string[] = [];
  const buttons: string[] = [];
  const walk = (part: unknown) => {
    if (Array.isArray(part)) {
      for (const one of part) walk(one);
    } else if (typeof part === "object" && part !== null) {
      const { type, inlines, title, fallback: _, ...rest } = part as Record<string, unknown>;
      if (type === "RichTextBlock") {
        lines.push((inlines as { text: string }[]).map((run) => run.text).join(""));
      } else if (String(type).startsWith("Action.")) {
        buttons.push(String(title));
      } else {
        walk(Object.values(rest));
      }
    }
  };
  walk(card);
  return { text: lines.join("\n"), buttons };
}
