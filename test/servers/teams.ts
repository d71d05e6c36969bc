import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";

/** A message as the connector has it now. */
export interface Kept {
  id: string;
  conversation: string;
  activity: Record<string, unknown>;
  edits: number;
}

export interface FakeMember {
  id: string;
  aadObjectId?: string;
  name: string;
  userRole?: string;
  tenantId?: string;
  email?: string;
}

/** The Bot Connector of Teams, as far as a bot speaks to it, and what a test does to it. */
export interface FakeTeams extends AsyncDisposable {
  url: string;
  messages: Kept[];
  members: FakeMember[];
  /** Every request, like `POST /v3/conversations`. */
  asked: string[];
  /** Answers the next requests that match with this status, as often as said. */
  fail(failure: Failure): void;
}

export interface Failure {
  on: RegExp;
  status: number;
  times?: number;
  /** How many of these are answered before. */
  after?: number;
  headers?: Record<string, string>;
}

export async function startFakeTeams(): Promise<FakeTeams> {
  const messages: Kept[] = [];
  const members: FakeMember[] = [];
  const asked: string[] = [];
  const failures: Failure[] = [];
  let count = 0;

  const handle = (method: string, path: string, body: Record<string, unknown>) => {
    const [, , one, conversation = "", what, id = ""] = path.split("/").map(decodeURIComponent);
    if (one !== "conversations") return { status: 404, body: {} };
    if (method === "POST" && conversation === "") {
      const [first] = body.members as FakeMember[];
      const known = members.find((member) => isCalled(member, first?.id ?? ""));
      if (known === undefined) return refusal(403, "BotNotInConversationRoster");
      return { status: 201, body: { id: `a:${known.id}` } };
    }
    if (method === "POST" && what === "activities") {
      count += 1;
      const made = `17${String(count).padStart(11, "0")}`;
      messages.push({ id: made, conversation, activity: body, edits: 0 });
      return { status: 201, body: { id: made } };
    }
    if (method === "PUT" && what === "activities") {
      const message = messages.find((kept) => kept.id === id);
      if (message === undefined) return refusal(404, "ActivityNotFoundInConversation");
      message.activity = body;
      message.edits += 1;
      return { status: 200, body: { id } };
    }
    if (method === "GET" && what === "members") {
      const member = members.find((each) => isCalled(each, id));
      return member === undefined
        ? refusal(404, "MemberNotFoundInConversation")
        : { status: 200, body: member };
    }
    return { status: 404, body: {} };
  };

  const server = createServer(async (request, response) => {
    const body = await jsonOf(request);
    const path = request.url ?? "";
    const line = `${request.method} ${decodeURIComponent(path)}`;
    asked.push(line);
    const meant = failures.find(({ on, times = 1 }) => times > 0 && on.test(line));
    const spared = (meant?.after ?? 0) > 0;
    if (meant !== undefined && spared) meant.after = (meant.after ?? 0) - 1;
    const failure = spared ? undefined : meant;
    if (failure !== undefined) failure.times = (failure.times ?? 1) - 1;
    const { status, body: said } =
      failure === undefined
        ? handle(request.method ?? "", path, body)
        : refusal(failure.status, "Injected");
    response.writeHead(status, { "content-type": "application/json", ...failure?.headers });
    response.end(JSON.stringify(said));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    messages,
    members,
    asked,
    fail: (failure) => failures.push({ times: 1, ...failure }),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function isCalled(member: FakeMember, id: string): boolean {
  return [member.id, member.aadObjectId, member.email].includes(id);
}

function refusal(status: number, code: string) {
  return { status, body: { error: { code, message: "refused" } } };
}

async function jsonOf(request: IncomingMessage): Promise<Record<string, unknown>> {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part as Buffer);
  const text = Buffer.concat(parts).toString();
  return text === "" ? {} : JSON.parse(text);
}
