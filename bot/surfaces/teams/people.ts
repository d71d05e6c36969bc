import type { Clock, Instant } from "../../../engine/domain/clock.ts";
import type { Thread } from "../../../engine/domain/thread.ts";
import { ChatError, type Person } from "../../surface.ts";
import type { Connector, Member, Reach } from "./connector.ts";
import type { Known, KnownPlaces, OwnChat } from "./known.ts";
import { idOf, personId, placeOf } from "./places.ts";

/** Somebody as an activity of Teams names them. */
export interface Named {
  id: string;
  name: string;
  directoryId: string | null;
}

/** Who people are, by the rosters of the conversations they are in. */
export interface TeamsPeople {
  /** Who typed; a guest unless the roster says otherwise. */
  typing(who: Named, tenant: string | null, conversation: string, reach: Reach): Promise<Person>;
  /** Whether somebody is in a conversation; no where it cannot be asked. */
  isIn(who: Named, thread: Thread): Promise<boolean>;
  /** The identity of somebody who was mentioned. */
  mentioned(id: string, conversation: string, reach: Reach): Promise<string>;
  meant(typed: string, place: Thread): Promise<Person | null>;
  /** Throws `ChatError` where Teams gives no personal chat with them. */
  chatWith(person: string, here: Known): Promise<OwnChat>;
}

const freshFor = 10 * 60_000;
const mostKept = 2000;

/** `tenantId` null: a test client on this machine, where everybody is a member. */
export function teamsPeople(
  connector: Connector,
  places: KnownPlaces,
  tenantId: string | null,
  clock: Clock,
): TeamsPeople {
  const kept = new Map<string, { member: Member | null; until: Instant }>();

  const memberOf = async (reach: Reach, conversation: string, id: string) => {
    const key = `${conversation} ${id}`;
    const before = kept.get(key);
    if (before !== undefined && clock.now() < before.until) return before.member;
    const member = await connector.member(reach, conversation, id);
    kept.delete(key);
    if (member !== null) kept.set(key, { member, until: clock.now() + freshFor });
    const [oldest] = kept.keys();
    if (kept.size > mostKept && oldest !== undefined) kept.delete(oldest);
    return member;
  };
  /** Null as well where Teams cannot be asked now. */
  const maybe = async (reach: Reach, conversation: string, id: string) => {
    try {
      return await memberOf(reach, conversation, id);
    } catch (error) {
      if (!(error instanceof ChatError)) throw error;
      return null;
    }
  };
  const personOf = (member: Member): Person => ({
    id: personId(member.directoryId ?? member.id),
    name: member.name,
    guest: isGuest(member, tenantId),
  });

  return {
    async typing(who, tenant, conversation, reach) {
      const id = personId(who.directoryId ?? who.id);
      const foreign = tenantId !== null && tenant !== tenantId;
      const member = foreign ? null : await maybe(reach, conversation, who.id);
      return { id, name: who.name, guest: foreign || isGuest(member, tenantId) };
    },

    async isIn(who, thread) {
      const place = placeOf(thread);
      if (place === null) return false;
      try {
        const reach = await places.chat(thread);
        return (await memberOf(reach, place.conversation, who.id)) !== null;
      } catch (error) {
        if (!(error instanceof ChatError)) throw error;
        return false;
      }
    },

    async mentioned(id, conversation, reach) {
      const member = await maybe(reach, conversation, id);
      return personId(member?.directoryId ?? id);
    },

    async meant(typed, place) {
      const id = idOf(typed) ?? (/^[^\s@:]+@[^\s@:]+\.[^\s@:]+$/.test(typed) ? typed : null);
      const at = placeOf(place);
      if (id === null || at === null) return null;
      const member = await memberOf(await places.chat(place), at.conversation, id);
      return member === null ? null : personOf(member);
    },

    async chatWith(person, here) {
      const own = await places.own(person);
      if (own !== null) return own;
      const id = idOf(person);
      if (id === null) throw new ChatError("That is nobody in Teams.", "refused");
      const conversation = await connector.chatWith(here, id);
      const made: OwnChat = { ...here, kind: "personal", conversation };
      await places.keepOwn(person, made);
      await places.keepChat(conversation, { ...here, kind: "personal" });
      return made;
    },
  };
}

/** Guests and strangers read at most, and so does whoever cannot be looked up. Pure. */
function isGuest(member: Member | null, tenantId: string | null): boolean {
  if (member === null) return tenantId !== null;
  if (member.role === "guest" || member.role === "anonymous") return true;
  return tenantId !== null && member.tenant !== null && member.tenant !== tenantId;
}
