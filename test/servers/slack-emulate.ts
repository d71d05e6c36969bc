import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { createEmulator } from "emulate";
import { botToken } from "./slack.ts";
import { type SlackPerson, slackPerson } from "./slack-person.ts";
import type { SlackMessage } from "./slack-state.ts";
import { httpWire } from "./slack-wire.ts";

/** A workspace kept by a Web API that others wrote, with permissions held strictly; people do what they do here. */
export interface EmulatedSlack extends AsyncDisposable {
  apiUrl: string;
  channel: string;
  users: { ana: string; bo: string };
  /** What stands in the channel: its messages, and under each its replies. */
  shown(): Promise<Pick<SlackMessage, "ts" | "thread_ts" | "text" | "blocks">[]>;
  /** What was answered by address, for one person each. */
  answers: Pick<SlackMessage, "text" | "blocks">[];
  /** The page on which it shows what it holds of this kind. */
  inspector(kind: "messages" | "views"): Promise<string>;
  person(user: string, bot: string): SlackPerson;
}

type Json = Record<string, unknown>;

export async function startEmulatedSlack(scopes: Iterable<string>): Promise<EmulatedSlack> {
  const people = ["ana", "bo", "migrate"].map((name) => ({
    name,
    email: `${name}@company.example`,
  }));
  const reader = "xoxp-reader-4711";
  const emulator = await createEmulator({
    service: "slack",
    port: 0,
    seed: {
      slack: {
        users: people,
        channels: [{ name: "acme" }],
        tokens: [
          { token: botToken, user: "migrate", scopes: [...scopes] },
          { token: reader, user: "ana" },
        ],
        strict_scopes: true,
      },
    },
  });
  const call = async (method: string, args: Json = {}): Promise<Json> => {
    const response = await fetch(`${emulator.url}/api/${method}`, {
      method: "POST",
      headers: { authorization: `Bearer ${reader}`, "content-type": "application/json" },
      body: JSON.stringify(args),
    });
    const said = (await response.json()) as Json;
    if (said.ok !== true) throw new Error(`${method}: ${said.error}`);
    return said;
  };
  const idOf = async (list: string, key: string, name: string) => {
    const all = (await call(list))[key] as { id: string; name: string }[];
    return all.find((one) => one.name === name)?.id ?? "";
  };
  const channel = await idOf("conversations.list", "channels", "acme");
  const users = {
    ana: await idOf("users.list", "members", "ana"),
    bo: await idOf("users.list", "members", "bo"),
  };
  const botUser = await idOf("users.list", "members", "migrate");

  const answers: Pick<SlackMessage, "text" | "blocks">[] = [];
  const server = createServer((request, response) => {
    void text(request).then((body) => {
      const { text: said = "", blocks = [] } = JSON.parse(body) as Partial<SlackMessage>;
      answers.push({ text: said, blocks });
      response.end("ok");
    });
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const here = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  let events = 0;

  return {
    apiUrl: `${emulator.url.replace("localhost", "127.0.0.1")}/api/`,
    channel,
    users,
    answers,
    async shown() {
      const roots = (await call("conversations.history", { channel, limit: 200 })).messages;
      const threads = await Promise.all(
        (roots as SlackMessage[])
          .filter((one) => one.thread_ts == null || one.thread_ts === one.ts)
          .map((one) => call("conversations.replies", { channel, ts: one.ts, limit: 200 })),
      );
      const all = threads.flatMap(({ messages }) => messages as SlackMessage[]);
      return all
        .map(({ ts, thread_ts, text: said, blocks }) => ({
          ts,
          thread_ts: thread_ts === undefined || thread_ts === ts ? null : thread_ts,
          text: said,
          blocks: blocks ?? [],
        }))
        .sort((a, b) => (a.ts < b.ts ? -1 : 1));
    },
    async inspector(kind) {
      return (await fetch(`${emulator.url}/?tab=${kind}&channel=${channel}`)).text();
    },
    person: (user, bot) =>
      slackPerson({
        user,
        channel,
        direct: "D0NONE",
        wire: httpWire(bot),
        bot: botUser,
        handed: {
          trigger: async (who) => {
            const response = await fetch(`${emulator.url}/api/views.generateTriggerId`, {
              method: "POST",
              headers: { authorization: `Bearer ${botToken}`, "content-type": "application/json" },
              body: JSON.stringify({ user_id: who }),
            });
            return String(((await response.json()) as Json).trigger_id);
          },
          responseUrl: () => `${here}/respond`,
          id() {
            events += 1;
            return String(events);
          },
        },
      }),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((done) => server.close(done));
      await emulator.close();
    },
  };
}

async function text(request: IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part as Buffer);
  return Buffer.concat(parts).toString("utf8");
}
