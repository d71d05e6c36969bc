import type { types } from "@slack/bolt";
import { z } from "zod";
import { Secret } from "../../../engine/domain/secret.ts";
import type { Thread } from "../../../engine/domain/thread.ts";
import type { Field, Form } from "../../message.ts";

/** Names our modals among those of other apps. */
export const formCallback = "godwit-form";

/** What a modal carries through Slack: what to do with the answers, and where it was asked. Nothing secret. */
const Meta = z.object({ command: z.string(), channel: z.string(), thread: z.string().nullable() });

export type FormMeta = z.infer<typeof Meta>;

/** A modal for a form that was asked for in this place. */
export function formView(form: Form, channel: Thread, thread: Thread | null): types.ModalView {
  const meta: FormMeta = { command: form.command, channel, thread };
  return {
    type: "modal",
    callback_id: formCallback,
    private_metadata: JSON.stringify(meta),
    title: { type: "plain_text", text: form.title.slice(0, 24) },
    submit: { type: "plain_text", text: form.submit.slice(0, 24) },
    close: { type: "plain_text", text: "Cancel" },
    blocks: [
      ...(form.intro === undefined
        ? []
        : [
            {
              type: "section" as const,
              text: {
                type: "plain_text" as const,
                text: form.intro.replaceAll("`", "").slice(0, 2900),
              },
            },
          ]),
      ...form.fields.map(input),
    ],
  };
}

function input(field: Field): types.ModalView["blocks"][number] {
  const hint = [
    field.hint,
    field.kind === "secret" ? "Only Godwit gets it: it stands in no channel." : undefined,
  ].filter((one) => one !== undefined);
  return {
    type: "input",
    // The kind is needed again when the answer comes.
    block_id: `${field.kind} ${field.name}`,
    label: { type: "plain_text", text: field.label.slice(0, 150) },
    optional: field.optional ?? false,
    ...(hint.length === 0 ? {} : { hint: { type: "plain_text", text: hint.join(" ") } }),
    element:
      field.kind === "file"
        ? { type: "file_input", action_id: "answer", filetypes: ["csv", "txt"], max_files: 1 }
        : { type: "plain_text_input", action_id: "answer", max_length: 3000 },
  };
}

/** The answers of a modal that was sent, and the ids of files among them. */
export interface Answers {
  meta: FormMeta;
  values: Map<string, Secret>;
  files: Map<string, string>;
}

const Submitted = z.object({
  private_metadata: z.string(),
  state: z.object({
    values: z.record(
      z.string(),
      z.object({
        answer: z
          .object({
            value: z.string().nullish(),
            files: z.array(z.object({ id: z.string() })).nullish(),
          })
          .optional(),
      }),
    ),
  }),
});

/** Reads a `view_submission`. Throws where it is none of ours. */
export function answersOf(view: unknown): Answers {
  const { private_metadata, state } = Submitted.parse(view);
  const values = new Map<string, Secret>();
  const files = new Map<string, string>();
  for (const [block, { answer }] of Object.entries(state.values)) {
    const [kind = "", name = ""] = block.split(" ");
    const file = answer?.files?.[0]?.id;
    if (file !== undefined) files.set(name, file);
    else if (typeof answer?.value === "string") {
      values.set(name, new Secret(answer.value, { looked: kind === "secret" }));
    }
  }
  return { meta: Meta.parse(JSON.parse(private_metadata)), values, files };
}
