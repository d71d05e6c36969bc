import { cpus } from "node:os";
import pg from "pg";

/** Prints a row of a table in Markdown. */
export function row(...cells: (string | number)[]): void {
  process.stdout.write(`| ${cells.join(" | ")} |\n`);
}

/** The database as somebody sees it who is not Godwit. */
export interface Books extends AsyncDisposable {
  /** The first column of all rows. */
  numbers(query: string): Promise<number[]>;
  /** The same of the only row. */
  number(query: string): Promise<number>;
}

export async function look(databaseUrl: string): Promise<Books> {
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  const numbers = async (query: string) => {
    const { rows } = await client.query<unknown[]>({ text: query, rowMode: "array" });
    return rows.map(([value]) => Number(value));
  };
  return {
    numbers,
    async number(query) {
      const [value] = await numbers(query);
      if (value === undefined) throw new Error(`No row answers: ${query}`);
      return value;
    },
    [Symbol.asyncDispose]: () => client.end(),
  };
}

/** Answers how many cores of this machine were busy since, with whatever. */
export function coresBusy(): () => number {
  const before = spent();
  return () => {
    const { idle, whole } = spent();
    return cpus().length * (1 - (idle - before.idle) / (whole - before.whole));
  };
}

function spent(): { idle: number; whole: number } {
  const sum = (some: number[]) => some.reduce((a, b) => a + b, 0);
  const times = cpus().map((cpu) => cpu.times);
  return {
    idle: sum(times.map(({ idle }) => idle)),
    whole: sum(times.flatMap((one) => Object.values(one))),
  };
}
