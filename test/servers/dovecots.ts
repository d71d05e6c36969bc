import { afterAll, beforeAll } from "vitest";
import { type Dovecot, startDovecot } from "./dovecot.ts";

/** Two servers for all the tests of a file: handed over before the first, stopped after the last. */
export function twoDovecots(given: (old: Dovecot, fresh: Dovecot) => void): void {
  let both: Dovecot[] = [];
  beforeAll(async () => {
    const [old, fresh] = await Promise.all([startDovecot(), startDovecot()]);
    both = [old, fresh];
    given(old, fresh);
  });
  afterAll(async () => {
    await Promise.all(both.map((one) => one[Symbol.asyncDispose]()));
  });
}
