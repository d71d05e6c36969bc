/** What `npm run faults` was asked for. */
export interface Asked {
  /** The suites, by name. */
  suites: string[];
  /** How many faults of each on each database; null for as many as the long form does. */
  times: number | null;
  /** Null for a new one. */
  seed: number | null;
  databases: ("sqlite" | "postgres")[];
}

/** Understands the words behind `npm run faults --`; a sentence where they cannot be understood. */
export function faultWords(words: readonly string[], names: readonly string[]): Asked | string {
  const asked: Asked = {
    suites: [...names],
    times: null,
    seed: null,
    databases: ["sqlite", "postgres"],
  };
  const left = [...words];
  for (let word = left.shift(); word !== undefined; word = left.shift()) {
    if (names.includes(word)) asked.suites = [word];
    else if (word === "--seed" || word === "--database") {
      const value = left.shift();
      if (word === "--seed") asked.seed = wholeNumber(value);
      else asked.databases = databases[value ?? ""] ?? [];
      if (asked.databases.length === 0) {
        return refuse(`${shown(value)} is no database.`, "--database sqlite (or postgres, both)");
      }
      if (word === "--seed" && asked.seed === null) {
        return refuse(`${shown(value)} is no seed.`, "--seed 7");
      }
    } else if (wholeNumber(word) !== null) asked.times = wholeNumber(word);
    else if (word !== "all") {
      return refuse(`“${word}” is no row of the fault matrix.`, `${names.join(" | ")} | all`);
    }
  }
  return asked;
}

const databases: Record<string, Asked["databases"]> = {
  sqlite: ["sqlite"],
  postgres: ["postgres"],
  both: ["sqlite", "postgres"],
};

function wholeNumber(word: string | undefined): number | null {
  return word !== undefined && /^[1-9]\d{0,8}$/.test(word) ? Number(word) : null;
}

function shown(value: string | undefined): string {
  return value === undefined ? "Nothing" : `“${value}”`;
}

function refuse(what: string, type: string): string {
  return `${what} No fault was made. Type \`npm run faults -- ${type}\`.`;
}
