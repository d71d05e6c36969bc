/** Whose secret a sealed text is: it opens in its own place alone. */
export const placeOf = {
  check: "key check",
  master: (endpoint: number) => `endpoint/${endpoint}/master`,
  source: (entry: number) => `entry/${entry}/source`,
  target: (entry: number) => `entry/${entry}/target`,
};
