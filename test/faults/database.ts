import pg from "pg";
import { dice } from "../doubles/letters.ts";
import { type Postgres, startPostgres } from "../servers/postgres.ts";
import { fileFaults } from "./database-file.ts";
import { finished, openHouse, until } from "./house.ts";
import type { Suite } from "./suite.ts";
import { sumOf } from "./tally.ts";

/**
 * F6: what the database suffers while engines carry pass after pass, half of it a PostgreSQL, half an SQLite file,
 * whatever database is asked for. Every pass is to end by itself, with no letter sent that was not intended before.
 */
export const database: Suite = {
  name: "database",
  row: "F6",
  times: 40,
  async run({ times, seed, tell }) {
    const half = Math.floor(times / 2);
    return sumOf([
      await serverFaults({ times: times - half, seed, tell }),
      await fileFaults({ times: half, seed, tell }),
    ]);
  },
};

/** Ends sessions of this database, as an administrator or a failing network does. */
export async function terminate(url: string, application: string): Promise<number> {
  const client = new pg.Client({ connectionString: url, application_name: "fault" });
  await client.connect();
  try {
    const { rowCount } = await client.query(
      "select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and application_name = $1",
      [application],
    );
    return rowCount ?? 0;
  } finally {
    await client.end();
  }
}

const faults: Record<string, (postgres: Postgres, url: string) => Promise<unknown>> = {
  "sessions of the ledger ended": (_, url) => terminate(url, "godwit"),
  "sessions that hold the locks ended": (_, url) => terminate(url, "godwit locks"),
  "server killed": (postgres) => postgres.cut(),
};

async function serverFaults({ times, seed, tell }: Omit<Parameters<Suite["run"]>[0], "database">) {
  const random = dice(seed);
  await using postgres = await startPostgres();
  const url = await postgres.fresh();
  await using house = await openHouse({ url, mailboxes: 6, letters: 20 });
  const wrong: string[] = [];
  for (let n = 0; n < times; ) {
    const pass = await house.submit();
    // Several in one pass: the second comes while the first is being made good.
    for (let more = 1 + Math.floor(random() * 3); more > 0 && n < times; more -= 1, n += 1) {
      const kind = Object.keys(faults)[Math.floor(random() * 3)]!;
      const reached = house.seen.appended + Math.floor(random() * 30);
      await until(
        "the pass is under way",
        async () => house.seen.appended >= reached || (await house.over(pass)) !== null,
      );
      await faults[kind]!(postgres, url);
      tell(`${n + 1} ${kind}`);
    }
    wrong.push(...(await finished(house, pass)));
    house.deliver(20);
  }
  wrong.push(...(await finished(house, await house.submit())));
  return { faults: times, ...house.stands(), wrong: [...wrong, ...house.seen.wrong] };
}
