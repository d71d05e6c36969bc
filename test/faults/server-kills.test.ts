import { describe, expect, test } from "vitest";
import type { Dovecot } from "../servers/dovecot.ts";
import { twoDovecots } from "../servers/dovecots.ts";
import { killServers, serverKills } from "./server-kills.ts";

let old: Dovecot;
let fresh: Dovecot;

twoDovecots((...both) => {
  [old, fresh] = both;
});

describe("a mail server killed while it is carried from or to (F4, the short form)", () => {
  test.each(serverKills)(
    "the $what of the $side, twice: the pass goes on by itself, nothing is lost or twice",
    async (kill) => {
      const user = `${kill.side}-${kill.what}`;
      const tally = await killServers({ old, fresh }, { kills: [kill, kill], user, seed: 7 });

      expect(tally).toEqual({
        faults: 2,
        carried: 128,
        lost: 0,
        duplicated: 0,
        foreign: 0,
        wrong: [],
      });
    },
  );

  test("an engine that forgets what is in doubt makes second copies: the control", async () => {
    const kills = serverKills.filter(({ side, what }) => side === "target" && what === "child");
    const options = { kills, user: "naive", seed: 7, naive: true };
    const tally = await killServers({ old, fresh }, options);

    expect(tally.faults).toBe(1);
    expect(tally.duplicated).toBeGreaterThan(0);
  });
});
