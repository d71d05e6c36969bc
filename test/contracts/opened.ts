import { afterAll, afterEach, beforeAll, beforeEach } from "vitest";
import type { Books, OpenBooks } from "./books.ts";

type Span = "each test" | "all tests";

/** Books for the tests beside the call, open before they begin and closed after: new ones for each, or the same for all. */
export function opened(open: OpenBooks, span: Span = "each test"): Books {
  const [before, after] = span === "each test" ? [beforeEach, afterEach] : [beforeAll, afterAll];
  // One object for the tests to hold; which books are open in it changes.
  const books = {} as Books;
  before(async () => {
    Object.assign(books, await open());
  });
  after(() => books[Symbol.asyncDispose]());
  return books;
}

/** The same, and those books opened once more, as another process would. */
export function openedTwice(open: OpenBooks, span?: Span): [books: Books, other: Books] {
  const books = opened(open, span);
  return [books, opened(() => books.again(), span)];
}
