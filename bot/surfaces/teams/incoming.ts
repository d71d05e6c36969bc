import { Secret } from "../../../engine/domain/secret.ts";
import type { Thread } from "../../../engine/domain/thread.ts";
import type { Incoming } from "../../surface.ts";
import { type Brought, type Heard, typedText } from "./activity.ts";
import type { Known } from "./known.ts";
import type { Named, TeamsPeople } from "./people.ts";
import { conversationOf, linkOf, personId, placeOf, threadOf } from "./places.ts";

/** What somebody typed. */
export async function written(heard: Heard, people: TeamsPeople): Promise<Incoming> {
  const { conversation, root } = conversationOf(heard.conversation.id);
  const text = await typedText(heard, (id) => people.mentioned(id, conversation, chatOf(heard)));
  const id = heard.id ?? "";
  return {
    ...(await common(heard, people)),
    channel: threadOf({ conversation, root: null }),
    // A root message is named by itself; the thread under it has not begun.
    thread: root === null || root === id ? null : threadOf({ conversation, root }),
    text,
    values: null,
    eventId: `${heard.conversation.id}/${id}`,
    trigger: null,
    link: linkOf(threadOf({ conversation, root: id })),
  };
}

/** What a button or a form did. */
export async function pressed(
  heard: Heard,
  brought: Brought,
  trigger: string | null,
  people: TeamsPeople,
): Promise<Incoming> {
  const spot = await spotOf(heard, brought, people);
  const told = [heard.replyToId, brought.command, String(heard.timestamp)].join("/");
  const { conversation, root } = conversationOf(heard.conversation.id);
  const message = heard.replyToId ?? root;
  return {
    ...(await common(heard, people)),
    ...spot,
    text: brought.command,
    values: heard.name === "task/submit" ? answersOf(brought) : null,
    eventId: `press:${heard.conversation.id}/${heard.id ?? told}`,
    trigger,
    link: message === null ? null : linkOf(threadOf({ conversation, root: message })),
  };
}

/** How to reach the conversation something came from. */
export function chatOf(heard: Heard): Known {
  const { id, conversationType } = heard.conversation;
  const inThread = id.includes(";messageid=") || /@thread\.(tacv2|skype)/.test(id);
  const kind =
    conversationType === "personal" || conversationType === "channel"
      ? conversationType
      : conversationType == null && inThread
        ? "channel"
        : "group";
  const bot = { id: heard.recipient.id, name: heard.recipient.name ?? "" };
  return { kind, serviceUrl: heard.serviceUrl, bot, tenant: tenantOf(heard) };
}

/** Who sent it. */
export function identityOf(heard: Heard): string {
  const { id, directoryId } = whoOf(heard);
  return personId(directoryId ?? id);
}

function whoOf({ from }: Heard): Named {
  return { id: from.id, name: from.name ?? "", directoryId: from.aadObjectId ?? null };
}

function tenantOf({ channelData, conversation }: Heard): string | null {
  return channelData?.tenant?.id ?? conversation.tenantId ?? null;
}

async function common(heard: Heard, people: TeamsPeople) {
  const { conversation } = conversationOf(heard.conversation.id);
  return {
    surface: "teams",
    person: await people.typing(whoOf(heard), tenantOf(heard), conversation, chatOf(heard)),
    capabilities: { readsThisMachine: false, cannotPost: null },
  };
}

/** Where the command is meant: where the button says, if whoever pressed it is there; else where it stands. */
async function spotOf(
  heard: Heard,
  { place }: Brought,
  people: TeamsPeople,
): Promise<{ channel: Thread; thread: Thread | null }> {
  const meant = place === undefined ? null : placeOf(place);
  if (place !== undefined && meant !== null && (await people.isIn(whoOf(heard), place))) {
    return {
      channel: threadOf({ ...meant, root: null }),
      thread: meant.root === null ? null : threadOf(meant),
    };
  }
  const { conversation, root } = conversationOf(heard.conversation.id);
  const message = root ?? heard.replyToId ?? null;
  return {
    channel: threadOf({ conversation, root: null }),
    thread: message === null ? null : threadOf({ conversation, root: message }),
  };
}

const own = new Set(["command", "form", "place", "open", "msteams"]);

/** The answers of a form. All but those it says are open are secrets. */
function answersOf({ open = [], ...brought }: Brought): Map<string, Secret> {
  const answers = new Map<string, Secret>();
  for (const [name, value] of Object.entries(brought)) {
    if (own.has(name) || typeof value !== "string") continue;
    answers.set(name, new Secret(value, { looked: !open.includes(name) }));
  }
  return answers;
}
