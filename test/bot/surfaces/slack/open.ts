import { createServer } from "node:net";
import type { Platform } from "../../../../bot/surface.ts";
import { openSlack } from "../../../../bot/surfaces/slack/open.ts";
import { type Clock, wallClock } from "../../../../engine/domain/clock.ts";
import { Secret } from "../../../../engine/domain/secret.ts";
import { appToken, botToken, type FakeSlack, startFakeSlack } from "../../../servers/slack.ts";
import { signingSecret } from "../../../servers/slack-wire.ts";

/** The surface before a fake workspace: by Socket Mode, or by signed HTTP at a port. */
export function slackAt(
  { apiUrl }: Pick<FakeSlack, "apiUrl">,
  how: { clock?: Clock; port?: number; logged?: string[]; token?: string } = {},
): Promise<Platform> {
  const note = (facts: Record<string, unknown>, text: string) =>
    void how.logged?.push(`${text} ${String(facts.err)}`);
  return openSlack({
    botToken: new Secret(how.token ?? botToken),
    appToken: how.port === undefined ? new Secret(appToken) : null,
    signingSecret: how.port === undefined ? null : new Secret(signingSecret),
    host: "127.0.0.1",
    port: how.port ?? 0,
    apiUrl,
    log: { warn: note, error: note },
    clock: how.clock ?? wallClock,
  });
}

/** A port that nothing listens at. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const { port } = server.address() as { port: number };
  await new Promise((done) => server.close(done));
  return port;
}

/** A surface alone before a workspace. */
export async function alone() {
  const slack = await startFakeSlack();
  const platform = await slackAt(slack);
  const to = { person: "slack:U0ANA", place: "slack:C0ACME", trigger: null };
  return {
    slack,
    platform,
    surface: platform.surface,
    to,
    [Symbol.asyncDispose]: slack[Symbol.asyncDispose],
  };
}
