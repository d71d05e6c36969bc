import type { Clock, Instant } from "../../../engine/domain/clock.ts";
import { ChatError, type Person } from "../../surface.ts";
import type { SlackApi } from "./api.ts";

/** Who somebody is in the workspace. */
export interface SlackPeople {
  /** Somebody who typed: a guest where Slack does not say otherwise. */
  typing(user: string): Promise<Person>;
  /** Who is meant by `slack:U…`, `<@U…>` or an e-mail address; null where nobody is. */
  meant(typed: string): Promise<Person | null>;
}

interface User {
  id?: string;
  name?: string;
  team_id?: string;
  deleted?: boolean;
  is_bot?: boolean;
  is_restricted?: boolean;
  is_ultra_restricted?: boolean;
  is_stranger?: boolean;
  profile?: { display_name?: string; real_name?: string };
}

/** How long what Slack said of somebody is believed, in ms. */
const believed = 10 * 60_000;

/** `team` is ours: people of others are guests. */
export function slackPeople(api: SlackApi, clock: Clock, team: () => Promise<string>): SlackPeople {
  const known = new Map<string, { person: Person; until: Instant }>();

  const personOf = async (user: User): Promise<Person> => {
    const name =
      user.profile?.display_name || user.profile?.real_name || user.name || user.id || "";
    const stranger =
      user.is_restricted === true ||
      user.is_ultra_restricted === true ||
      user.is_stranger === true ||
      user.deleted === true ||
      user.team_id !== (await team());
    return { id: `slack:${user.id}`, name, guest: stranger };
  };

  const byId = async (id: string): Promise<Person | null> => {
    const before = known.get(id);
    if (before !== undefined && clock.now() < before.until) return before.person;
    const user = await asked(() => api.speaking.users.info({ user: id }));
    if (user === null) return null;
    const person = await personOf(user);
    known.set(id, { person, until: clock.now() + believed });
    return person;
  };

  const asked = async (work: () => Promise<{ user?: User }>): Promise<User | null> => {
    try {
      return (await api.call(work)).user ?? null;
    } catch (error) {
      if (error instanceof ChatError && error.kind === "refused") return null;
      throw error;
    }
  };

  return {
    async typing(id) {
      try {
        const person = await byId(id);
        if (person !== null) return person;
      } catch (error) {
        if (!(error instanceof ChatError)) throw error;
      }
      // Who cannot be looked up gets the least.
      return { id: `slack:${id}`, name: id, guest: true };
    },

    async meant(typed) {
      const id = /^(?:slack:|<@)?([UW][A-Z0-9]{2,20})(?:\|[^>]*)?>?$/.exec(typed)?.[1];
      if (id !== undefined) return byId(id);
      if (!/^[^@\s]+@[^@\s]+\.[^@\s]+$/.test(typed)) return null;
      const user = await asked(() => api.speaking.users.lookupByEmail({ email: typed }));
      return user === null ? null : personOf(user);
    },
  };
}
