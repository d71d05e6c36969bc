import { harmless } from "../../engine/domain/errors.ts";
import type { Person } from "../surface.ts";

/** Somebody as a channel knows them: by their name on a platform, at this machine by their identity. */
export function who({ id, name }: Person): string {
  return id.startsWith("local:") ? id : harmless(name, 60) || id;
}
