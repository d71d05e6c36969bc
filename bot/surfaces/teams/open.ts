import type { Clock } from "../../../engine/domain/clock.ts";
import { UserError } from "../../../engine/domain/errors.ts";
import type { Secret } from "../../../engine/domain/secret.ts";
import type { Contacts } from "../../../engine/domain/thread.ts";
import { ChatError, type Platform } from "../../surface.ts";
import { botbuilderConnector, type Identity } from "./connector.ts";
import { hearing } from "./hear.ts";
import { known } from "./known.ts";
import { teamsPace } from "./pace.ts";
import { pendingAnswers } from "./pending.ts";
import { teamsPeople } from "./people.ts";
import { endpoint, isLoopback, serve } from "./server.ts";
import { teamsSurface } from "./surface.ts";

export interface TeamsOptions {
  /** Null for a test client on this machine: nothing is signed, and only this machine is heard. */
  appId: string | null;
  appPassword: Secret | null;
  /** Who is not of this tenant is a guest. */
  tenantId: string | null;
  /** Where Teams is heard, at /api/messages. */
  host?: string;
  port: number;
  contacts: Contacts;
  log: {
    warn(facts: Record<string, unknown>, text: string): void;
    error(facts: Record<string, unknown>, text: string): void;
  };
  clock: Clock;
  /** Where the keys of Teams' signatures are described, if not at Microsoft's own address. */
  keysUrl?: string;
  /** After how long a press is answered that nothing was said to yet. Teams waits for some ten seconds. */
  answerWithinMs?: number;
}

/** Teams, and where it is heard while it is. */
export interface TeamsPlatform extends Platform {
  url(): string | null;
}

/**
 * Microsoft Teams, spoken to through the Bot Connector and heard by HTTP. Throws `UserError` where what it is
 * given does not suffice to tell Teams from others.
 */
export async function openTeams(options: TeamsOptions): Promise<TeamsPlatform> {
  const { host = "127.0.0.1", port, contacts, tenantId, clock, log } = options;
  const identity = identityOf(options, host);
  const connector = botbuilderConnector(identity);
  const places = known(contacts);
  const pending = pendingAnswers();
  const people = teamsPeople(connector, places, tenantId, clock);
  const surface = teamsSurface({ connector, places, people, pending, pace: teamsPace(clock) });
  let url: string | null = null;
  return {
    surface,
    url: () => url,

    async listen(handle) {
      const { answerWithinMs = 4000 } = options;
      const heard = hearing({ places, people, pending, answerWithinMs, log });
      const open = identity === null;
      const server = await serve({ connector, hearing: heard, host, port, open, log }, handle);
      url = server.url;
      return server;
    },

    async check() {
      const at = `http://${host}:${port}${endpoint}`;
      if (identity === null) return `Teams, a test client on this machine, at ${at}`;
      try {
        await connector.signIn();
      } catch (error) {
        const why = error instanceof ChatError ? error.message : "Microsoft refuses the sign-in.";
        throw new UserError(
          `Teams cannot be used: ${why} Look at MICROSOFT_APP_ID, MICROSOFT_APP_PASSWORD and MICROSOFT_APP_TENANT_ID. See docs/connect-teams.md.`,
        );
      }
      return `Teams, as the app ${identity.appId}, at ${at}`;
    },
  };
}

function identityOf(options: TeamsOptions, host: string): Identity | null {
  const { appId, appPassword, tenantId, keysUrl = null } = options;
  if (appId === null) {
    if (isLoopback(host)) return null;
    throw new UserError(
      `Anybody who reaches ${host} could speak as anybody. Set MICROSOFT_APP_ID, MICROSOFT_APP_PASSWORD and MICROSOFT_APP_TENANT_ID, or let Godwit listen on 127.0.0.1. See docs/connect-teams.md.`,
    );
  }
  if (appPassword === null || tenantId === null) {
    throw new UserError(
      "MICROSOFT_APP_ID is set; MICROSOFT_APP_PASSWORD and MICROSOFT_APP_TENANT_ID belong to it. See docs/connect-teams.md.",
    );
  }
  return { appId, appPassword, tenantId, keysUrl };
}
