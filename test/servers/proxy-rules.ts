/**
 * What happens to the n-th command that a rule's pattern meets, counted over all connections; or to the n-th
 * connection, where it is about the greeting.
 */
export type ProxyRule = {
  /** Meets the command without its tag: `/^APPEND /i`. */
  on: RegExp | "greeting";
  /** The first unless told otherwise; `every` for all of them. */
  nth?: number | "every";
  /** Where it cuts, the client's connection is reset (RST) and not ended. */
  reset?: boolean;
} & (
  | {
      /**
       * `cut before`: the command never reaches the server, or the greeting never the client. `cut after`: its
       * line does and the connection ends. `cut after literal`: all of the command does. `cut after answer
       * literal`: the client sees the first literal of the answer and no more. `cut before answer`: the server
       * has carried it out and its answer is lost. `silence before answer`: so, but the connection stays open
       * and says nothing more.
       */
      do:
        | "cut before"
        | "cut after"
        | "cut after literal"
        | "cut after answer literal"
        | "cut before answer"
        | "silence before answer";
    }
  /**
   * `cut in literal`: after so many bytes of it. `cut in answer`: after so many bytes of the whole answer.
   * `silence in answer`: so, but the connection stays open.
   */
  | { do: "cut in literal" | "cut in answer" | "silence in answer"; after: number }
  /** Answered by the proxy: `NO [OVERQUOTA] full`. With `bye` the connection ends after it. */
  | { do: "answer"; with: string; bye?: string }
  /** The server says goodbye in the place of an answer: the command never reaches it. */
  | { do: "bye"; with: string }
  /** Changes the lines of its answer, without line ends. */
  | { do: "rewrite"; line: (line: string) => string }
);
