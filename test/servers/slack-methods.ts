import { faultOf, lengthFault } from "./slack-blocks.ts";
import {
  next,
  nextTs,
  type SlackChannel,
  type SlackMessage,
  type SlackState,
} from "./slack-state.ts";

export type Json = Record<string, unknown>;

type Method = (args: Json, state: SlackState, url: string) => Json;

const no = (error: string): Json => ({ ok: false, error });

/** Which permission each method needs; those left out need none of the bot's own. */
export const scopeOf: Record<string, string[]> = {
  "chat.postMessage": ["chat:write"],
  "chat.update": ["chat:write"],
  "chat.delete": ["chat:write"],
  "chat.postEphemeral": ["chat:write"],
  "conversations.info": ["channels:read", "groups:read"],
  "conversations.members": ["channels:read", "groups:read"],
  "conversations.open": ["im:write"],
  "conversations.history": ["channels:history"],
  "conversations.replies": ["channels:history"],
  "users.info": ["users:read"],
  "users.lookupByEmail": ["users:read.email"],
  "pins.add": ["pins:write"],
  "pins.remove": ["pins:write"],
  "files.info": ["files:read"],
  "files.getUploadURLExternal": ["files:write"],
  "files.completeUploadExternal": ["files:write"],
};

/** Answers a call of the Web API as Slack does. */
export function call(name: string, args: Json, state: SlackState, url: string): Json {
  const method = methods[name];
  if (method === undefined) return no("unknown_method");
  const [scope] = scopeOf[name] ?? [];
  // Direct messages are read with their own permission, which is among those shipped.
  const direct = String(args.channel ?? "").startsWith("D");
  if (
    scope !== undefined &&
    !state.scopes.has(direct ? scope.replace("channels:", "im:") : scope)
  ) {
    const needed = direct ? scope.replace("channels:", "im:") : scope;
    if (needed !== "im:read") return { ...no("missing_scope"), needed };
  }
  return method(args, state, url);
}

const methods: Record<string, Method> = {
  "auth.test": (_, { team, bot }) => ({
    ok: true,
    url: "https://acme.slack.example/",
    team: "Acme",
    team_id: team,
    user: bot.name,
    user_id: bot.user,
    bot_id: bot.id,
  }),

  "chat.postMessage": (args, state) => {
    const channel = channelOf(args, state);
    const fault =
      faultIn(args, channel, state) ?? lengthFault(blocksOf(args)) ?? threadFault(args, state);
    if (channel === undefined || fault !== null) return no(fault ?? "channel_not_found");
    const message = messageOf(args, channel.id, state, null);
    state.messages.push(message);
    return { ok: true, channel: channel.id, ts: message.ts, message: { text: message.text } };
  },

  "chat.postEphemeral": (args, state) => {
    const channel = channelOf(args, state);
    const fault = faultIn(args, channel, state);
    if (channel === undefined || fault !== null) return no(fault ?? "channel_not_found");
    if (!state.users.some((user) => user.id === args.user)) return no("user_not_in_channel");
    const message = messageOf(args, channel.id, state, String(args.user));
    state.messages.push(message);
    return { ok: true, message_ts: message.ts };
  },

  "chat.update": (args, state) => {
    const found = messageAt(args, state);
    if (found === undefined) return no("message_not_found");
    if (found.user !== state.bot.user) return no("cant_update_message");
    if (String(args.text ?? "").length > 4000) return no("msg_too_long");
    const fault = faultIn(args, channelOf(args, state), state) ?? lengthFault(blocksOf(args));
    if (fault !== null) return no(fault);
    found.text = String(args.text ?? "");
    found.blocks = blocksOf(args);
    found.edits += 1;
    found.sent = args;
    return { ok: true, channel: found.channel, ts: found.ts };
  },

  "pins.add": (args, state) => pin(args, state, true),
  "pins.remove": (args, state) => pin(args, state, false),

  "chat.getPermalink": (args) => ({
    ok: true,
    permalink: `https://acme.slack.example/archives/${args.channel}/p${String(args.message_ts).replace(".", "")}`,
  }),

  "conversations.info": (args, state) => {
    const channel = channelOf(args, state);
    if (channel === undefined) return no("channel_not_found");
    const { id, member, archived, direct } = channel;
    return {
      ok: true,
      channel: { id, is_member: member, is_archived: archived, is_im: direct !== null },
    };
  },

  "conversations.open": (args, state) => {
    const user = String(args.users);
    if (!state.users.some(({ id }) => id === user)) return no("user_not_found");
    const known = state.channels.find(({ direct }) => direct === user);
    if (known !== undefined) return { ok: true, channel: { id: known.id } };
    const made = { id: next(state, "D"), member: true, archived: false, direct: user };
    state.channels.push(made);
    return { ok: true, channel: { id: made.id } };
  },

  "conversations.history": (args, state) => {
    if (channelOf(args, state) === undefined) return no("channel_not_found");
    return listed(args, state, "youngest", (one) => one.thread_ts === null || one.broadcast);
  },

  "conversations.replies": (args, state) => {
    if (channelOf(args, state) === undefined) return no("channel_not_found");
    return listed(args, state, "oldest", (one) => one.ts === args.ts || one.thread_ts === args.ts);
  },

  "users.info": (args, state) => userWhere(state, ({ id }) => id === args.user),
  "users.lookupByEmail": (args, state) => userWhere(state, ({ email }) => email === args.email),

  "views.open": (args, state) => {
    const given = state.triggers.get(String(args.trigger_id));
    if (given === undefined) return no("invalid_trigger_id");
    if (given.used) return no("exchanged_trigger_id");
    if (state.now() >= given.until) return no("expired_trigger_id");
    const view = args.view as Json;
    const fault = viewFault(view, state);
    if (fault !== null) return no(fault);
    given.used = true;
    const opened = { id: next(state, "V"), hash: next(state, "hash."), user: given.user };
    state.views.push({ ...opened, view, open: true });
    return { ok: true, view: { ...view, id: opened.id, hash: opened.hash } };
  },

  "files.getUploadURLExternal": (args, state, url) => {
    const id = next(state, "F");
    // Slack passes over what it does not know, like `alt_text`.
    const { filename, alt_txt: alt } = args;
    if (typeof alt === "string" && alt.length > 1000) return no("alt_txt_too_large");
    const known = typeof alt === "string" ? { alt } : {};
    state.files.push({ id, name: String(filename), content: "", ...known, channel: null });
    return { ok: true, file_id: id, upload_url: `${url}/upload/${id}` };
  },

  "files.completeUploadExternal": (args, state) => {
    const given = args.files as { id: string; title?: string }[];
    const channel = channelOf({ channel: args.channel_id }, state);
    if (channel === undefined) return no("channel_not_found");
    if (!channel.member) return no("not_in_channel");
    const files = given.flatMap((one) => {
      const file = state.files.find(({ id }) => id === one.id);
      if (file === undefined) return [];
      const thread = args.thread_ts === undefined ? {} : { thread: String(args.thread_ts) };
      return [
        Object.assign(file, { channel: channel.id, ...thread, title: one.title ?? file.name }),
      ];
    });
    return { ok: true, files: files.map(({ id }) => ({ id })) };
  },

  "files.info": (args, state, url) => {
    const file = state.files.find(({ id }) => id === args.file);
    if (file === undefined) return no("file_not_found");
    return {
      ok: true,
      file: {
        id: file.id,
        name: file.name,
        size: Buffer.byteLength(file.content),
        url_private: file.url ?? `${url}/files/${file.id}`,
      },
    };
  },
};

function blocksOf(args: Json): Json[] {
  return (args.blocks as Json[] | undefined) ?? [];
}

function channelOf(args: Json, state: SlackState): SlackChannel | undefined {
  return state.channels.find(({ id }) => id === args.channel);
}

function messageAt(args: Json, { messages }: SlackState): SlackMessage | undefined {
  return messages.find(
    (one) => one.channel === args.channel && one.ts === args.ts && one.only === null,
  );
}

function faultIn(args: Json, channel: SlackChannel | undefined, state: SlackState): string | null {
  if (channel === undefined) return "channel_not_found";
  if (!channel.member) return "not_in_channel";
  if (channel.archived) return "is_archived";
  const blocks = blocksOf(args);
  if (blocks.length === 0 && String(args.text ?? "") === "") return "no_text";
  return faultOf(blocks, state);
}

function threadFault(args: Json, state: SlackState): string | null {
  if (args.thread_ts === undefined) return null;
  const root = messageAt({ channel: args.channel, ts: args.thread_ts }, state);
  // People's own messages are not kept here; only ours can be missed.
  return root !== undefined && root.thread_ts !== null ? "cannot_reply_to_message" : null;
}

function messageOf(
  args: Json,
  channel: string,
  state: SlackState,
  only: string | null,
): SlackMessage {
  return {
    channel,
    ts: nextTs(state),
    thread_ts: args.thread_ts === undefined ? null : String(args.thread_ts),
    user: state.bot.user,
    text: String(args.text ?? "").slice(0, 40_000),
    blocks: blocksOf(args),
    metadata: (args.metadata as SlackMessage["metadata"] | undefined) ?? null,
    broadcast: args.reply_broadcast === true,
    only,
    edits: 0,
    pinned: false,
    sent: args,
  };
}

/** A page of what was said, the youngest or the oldest first; the cursor is where the next one begins. */
function listed(
  args: Json,
  state: SlackState,
  first: "youngest" | "oldest",
  mine: (one: SlackMessage) => boolean,
): Json {
  const all = state.messages.filter(
    (one) => one.channel === args.channel && one.only === null && mine(one),
  );
  if (first === "youngest") all.reverse();
  const from = Number(args.cursor ?? 0);
  const end = from + Number(args.limit ?? 100);
  const shown = all.slice(from, end);
  const isMore = all.length > end;
  const withMetadata = args.include_all_metadata === true;
  return {
    ok: true,
    messages: shown.map(({ ts, text, metadata, user }) => ({
      ts,
      text,
      user,
      ...(withMetadata && metadata !== null ? { metadata } : {}),
    })),
    has_more: isMore,
    response_metadata: { next_cursor: isMore ? String(end) : "" },
  };
}

function userWhere(state: SlackState, is: (user: SlackState["users"][number]) => boolean): Json {
  const user = state.users.find(is);
  if (user === undefined) return no("user_not_found");
  return { ok: true, user: { ...user, profile: { display_name: user.name, email: user.email } } };
}

function viewFault(view: Json, state: SlackState): string | null {
  const title = String((view.title as Json).text);
  const submit = String((view.submit as Json | undefined)?.text ?? "");
  if (title.length > 24 || submit.length > 24) return "invalid_arguments";
  if (String(view.private_metadata ?? "").length > 3000) return "invalid_arguments";
  return faultOf(view.blocks as Json[], state);
}

function pin(args: Json, state: SlackState, pinned: boolean): Json {
  const found = state.messages.find(
    ({ channel, ts }) => channel === args.channel && ts === args.timestamp,
  );
  if (found === undefined) return no("message_not_found");
  if (found.pinned === pinned) return no(pinned ? "already_pinned" : "no_pin");
  found.pinned = pinned;
  return { ok: true };
}
