import { expect, test } from "vitest";
import { faultWords } from "../../scripts/faults-words.ts";

const names = ["kills", "cuts"];

test("without words every row is run in its long form, on both databases", () => {
  expect(faultWords([], names)).toEqual({
    suites: names,
    times: null,
    seed: null,
    databases: ["sqlite", "postgres"],
  });
});

test("a row, how often, the seed and the database may be said in any order", () => {
  expect(faultWords(["--seed", "7", "cuts", "--database", "postgres", "28"], names)).toEqual({
    suites: ["cuts"],
    times: 28,
    seed: 7,
    databases: ["postgres"],
  });
});

test.each([
  [["kill"], "“kill” is no row of the fault matrix."],
  [["0"], "“0” is no row of the fault matrix."],
  [["kills", "--seed", "x"], "“x” is no seed."],
  [["--seed"], "Nothing is no seed."],
  [["--database", "mysql"], "“mysql” is no database."],
])("%j runs nothing and is answered with what to type", (words, said) => {
  const answer = faultWords(words, names);

  expect(answer).toContain(said);
  expect(answer).toMatch(/No fault was made\. Type `npm run faults -- .+`\./);
});
