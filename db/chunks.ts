/** Rows in one statement: below what either database takes. */
const chunk = 50;

/** The same in pieces, each as many as one statement takes. */
export function* chunks<One>(all: readonly One[]): Generator<One[]> {
  for (let start = 0; start < all.length; start += chunk) yield all.slice(start, start + chunk);
}
