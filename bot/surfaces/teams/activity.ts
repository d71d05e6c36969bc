import { z } from "zod";

const Account = z.object({
  id: z.string().min(1),
  name: z.string().nullish(),
  aadObjectId: z.string().nullish(),
  role: z.string().nullish(),
});

/** What Teams sends, in the parts that are used. */
export const Heard = z.object({
  type: z.string(),
  id: z.string().nullish(),
  name: z.string().nullish(),
  timestamp: z.union([z.string(), z.date()]).nullish(),
  serviceUrl: z.url(),
  channelId: z.string().nullish(),
  from: Account,
  recipient: Account,
  conversation: z.object({
    id: z.string().min(1),
    conversationType: z.string().nullish(),
    tenantId: z.string().nullish(),
  }),
  channelData: z.object({ tenant: z.object({ id: z.string() }).nullish() }).nullish(),
  text: z.string().nullish(),
  replyToId: z.string().nullish(),
  entities: z.array(z.looseObject({ type: z.string() })).nullish(),
  value: z.unknown().optional(),
});
export type Heard = z.infer<typeof Heard>;

const Mention = z.object({
  type: z.literal("mention"),
  text: z.string().min(1),
  mentioned: z.object({ id: z.string(), name: z.string().nullish() }),
});

/** What was typed, without our own name; the ids of others stand for their names. */
export async function typedText(
  { text, entities, recipient }: Heard,
  identity: (id: string) => Promise<string>,
): Promise<string> {
  let typed = text ?? "";
  for (const entity of entities ?? []) {
    const mention = Mention.safeParse(entity).data;
    if (mention === undefined) continue;
    const { mentioned } = mention;
    const meant = mentioned.id === recipient.id ? " " : ` ${await identity(mentioned.id)} `;
    // Not as a pattern: `$&` in a name would mean something.
    typed = typed.split(mention.text).join(meant);
  }
  return unescaped(typed.replace(/<br\s*\/?>/gi, " "))
    .replace(/[\s\u00a0]+/g, " ")
    .trim();
}

const entityWords: Record<string, string> = {
  "&nbsp;": " ",
  "&lt;": "<",
  "&gt;": ">",
  "&quot;": '"',
  "&#39;": "'",
  "&amp;": "&",
};

function unescaped(text: string): string {
  return text.replace(/&(?:nbsp|lt|gt|quot|#39|amp);/g, (word) => entityWords[word] ?? word);
}

/** What a button or a form of ours brings. */
export const Brought = z
  .object({
    command: z.string().min(1).max(4000),
    place: z.string().max(1000).optional(),
    open: z.array(z.string()).max(20).optional(),
  })
  .catchall(z.unknown());
export type Brought = z.infer<typeof Brought>;

/** Where Teams puts that, by what it asks. */
export const PressValue = z.object({ action: z.object({ data: Brought }) });
export const TaskValue = z.object({ data: Brought });
