import type { Activity } from "botbuilder";
import type { Thread } from "../../../engine/domain/thread.ts";
import { type Form, inWords, type Message, type Picture, spans } from "../../message.ts";
import { plain } from "../cards/plain.ts";
import { type Card, formCard } from "../cards/render.ts";
import { fittingCard } from "./fit.ts";

const cardType = "application/vnd.microsoft.card.adaptive";
const noteType = "application/vnd.microsoft.activity.message";

/** What a button of ours brings back. */
export interface Pressed {
  command: string;
  /** Where the command is meant, if not where the button stands. */
  place?: Thread;
  /** The fields of a form whose answers are no secrets. */
  open?: string[];
}

/**
 * A message as Teams takes it: a card alone, because text beside it would be read as Markdown. `place` is
 * where its buttons are meant, if not where it stands.
 */
export function drawn(message: Message, place?: Thread): Partial<Activity> {
  return cardActivity(
    placed(fittingCard(withoutFile(message)), place),
    message.title ?? message.text,
  );
}

/** A picture, for a message of its own: Teams counts what stands together. */
export function pictureActivity({ alt, png }: Picture): Partial<Activity> {
  return {
    type: "message",
    summary: words(alt, 200),
    attachments: [
      {
        contentType: "image/png",
        contentUrl: `data:image/png;base64,${png}`,
        name: words(alt, 1000),
      },
    ],
  };
}

/** The button that opens a form. */
export function asking(form: Form, place?: Thread): Partial<Activity> {
  return cardActivity(askingCard(form, place), form.title);
}

/** The same as a card. */
export function askingCard(form: Form, place?: Thread): Card {
  const card = fittingCard({ text: `${form.title}: open the form to go on.` });
  const data: Pressed = { command: form.command, ...(place === undefined ? {} : { place }) };
  return {
    ...card,
    actions: [
      {
        type: "Action.Submit",
        title: "Open the form",
        style: "positive",
        data: { ...data, msteams: { type: "task/fetch" } },
      },
    ],
  };
}

/** The answer to `task/fetch` that shows the form. */
export function openedForm(form: Form, place: Thread): object {
  const card = formCard(form);
  const open = form.fields.filter(({ kind }) => kind !== "secret").map(({ name }) => name);
  const actions = (card.actions as Card[]).map((action) => ({
    ...action,
    data: { ...(action.data as Card), place, open } satisfies Card,
  }));
  return {
    task: {
      type: "continue",
      value: {
        title: plain(form.title),
        height: "medium",
        width: "medium",
        card: { contentType: cardType, content: { ...card, actions } },
      },
    },
  };
}

/** The answer to `task/fetch` and `task/submit` that shows a message in the form's place. */
export function taskMessage(message: Message): object {
  const card = fittingCard(inWords(withoutFile(message)));
  const { actions: _, ...rest } = card;
  return {
    task: {
      type: "continue",
      value: {
        title: plain(message.title ?? "Godwit", 60),
        height: "small",
        width: "medium",
        card: { contentType: cardType, content: rest },
      },
    },
  };
}

/** The answer to a press that changes nothing in the chat: one line, shown to whoever pressed. */
export function pressNote(text: string): object {
  return { statusCode: 200, type: noteType, value: words(text, 400) };
}

/** The answer to a press that shows a card in place of the pressed one, to whoever pressed. */
export function pressCard(card: Card): object {
  return { statusCode: 200, type: cardType, value: card };
}

function words(text: string, length: number): string {
  const typed = spans(text).map((span) => span.text);
  return plain(typed.join(""), length);
}

function cardActivity(card: Card, summary: string): Partial<Activity> {
  return {
    type: "message",
    summary: words(summary, 200),
    attachments: [{ contentType: cardType, content: card }],
  };
}

function placed(card: Card, place: Thread | undefined): Card {
  if (place === undefined || card.actions === undefined) return card;
  const meant = (action: Card): Card => ({ ...action, data: { ...(action.data as Card), place } });
  const actions = (card.actions as Card[]).map((action) => ({
    ...meant(action),
    fallback: meant(action.fallback as Card),
  }));
  return { ...card, actions };
}

/** A bot may hand over files in personal chats only, each after a question. */
function withoutFile({ file, ...message }: Message): Message {
  if (file === undefined) return message;
  const note = `The file ${file.name} is not shown in Teams. Type the same on the machine Godwit runs on to keep it.`;
  return { ...message, notes: [...(message.notes ?? []), note] };
}
