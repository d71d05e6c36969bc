/** What a series of faults left behind. */
export interface Tally {
  faults: number;
  carried: number;
  lost: number;
  duplicated: number;
  foreign: number;
  /** Whatever else is not as promised, one line each. */
  wrong: string[];
}

/** One row of the fault matrix. */
export interface Suite {
  name: string;
  /** Its number in the matrix, F2 … */
  row: string;
  /** How many the long form does. */
  times: number;
  run(options: {
    times: number;
    seed: number;
    database: "sqlite" | "postgres";
    tell(line: string): void;
  }): Promise<Tally>;
}
