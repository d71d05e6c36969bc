import type { Transcript, TranscriptLine } from "../../../../engine/domain/thread.ts";
import type { Field, Form, Message, Picture } from "../../../message.ts";
import { type Card, formCard, messageCard } from "../../cards/render.ts";

/** A line of the channel as the page draws it. */
export interface PageLine {
  id: number;
  at: number;
  kind: "private" | "post" | "edit" | "reply";
  thread: string;
  card: Card;
  /** What a reader of screens is told. */
  text: string;
  aloud: boolean;
  /** The fields of a form, to know which answers are secret and which are files. */
  fields: Pick<Field, "name" | "kind">[];
  file: { name: string; content: string } | null;
  pictures: Picture[];
}

/** How far back a page that is opened looks. */
const back = 2000;

/** Where a page that was not open before begins to read. */
export async function beginning(transcript: Transcript): Promise<number> {
  return Math.max(0, (await transcript.last()) - back);
}

/** Lines of this person after `id`, and the id to go on from. Edits that a later one replaced are left out. */
export async function linesAfter(
  transcript: Transcript,
  id: number,
  person: string,
): Promise<{ lines: PageLine[]; read: number }> {
  const all = await transcript.after(id, back);
  const last = new Map(all.filter((one) => one.kind === "edit").map((one) => [one.thread, one.id]));
  const lines = all
    .filter((one) => one.for === null || one.for === person)
    .filter((one) => one.kind !== "edit" || last.get(one.thread) === one.id)
    .flatMap((one) => pageLine(one) ?? []);
  return { lines, read: all.at(-1)?.id ?? id };
}

function pageLine(line: TranscriptLine): PageLine | null {
  const { id, at, kind, thread, text, extra } = line;
  if (kind === "pass") return null;
  const form = extra.form as Form | undefined;
  const message = { ...extra, text } as Message;
  return {
    id,
    at,
    kind,
    thread,
    text: text.slice(0, 500),
    card: form === undefined ? messageCard(message) : formCard(form),
    aloud: extra.aloud === true,
    fields: form?.fields.map(({ name, kind }) => ({ name, kind })) ?? [],
    file: message.file ?? null,
    pictures: message.pictures ?? [],
  };
}
