import type { Limits } from "./limits.ts";

/** A server sent more than is taken from one; `message` says what, in few words. */
export class Excess extends Error {
  override name = "Excess";
}

/**
 * Looks at what a server sends before the parser does. The parser builds its answers whole, takes some hundred times
 * the memory of a short word and, for some words, time with the square of their length.
 */
export interface Screen {
  /** Throws `Excess` for the first byte that is too much. */
  look(bytes: Buffer): void;
  /** Forgets how much came until now: a command begins or has ended. So many answers may come beside the usual. */
  begin(wanted: number): void;
  /** Answers that have ended. */
  ended(): number;
  /** Bytes of literals in the answer under way. */
  arrived(): number;
}

const [LF, CR, SP] = [0x0a, 0x0d, 0x20];
const [open, close] = [0x7b, 0x7d];

/** Bytes the parser begins a node of its tree at. */
const marks = new Uint8Array(256);
for (const mark of ' ()[]"\\<{~*') marks[mark.charCodeAt(0)] = 1;

/** Bytes of lines for each answer that may come: names and lists of flags are longer than most. */
const lineBytes = 1024;

/** The screen for one connection. */
export function newScreen(limits: Limits): Screen {
  let answers = 0;
  let mostAnswers = limits.answers;
  let lines = 0;
  let ended = 0;
  // Of the answer under way.
  let line = 0;
  let tokens = 0;
  let work = 0;
  let literals = 0;
  let literalBytes = 0;
  let arrived = 0;
  // Of the literal under way.
  let left = 0;
  // Of the word under way, and of the `{number}` that may end its line.
  let word = 0;
  let size = -1;
  let marker: "no" | "digits" | "closed" | "return" = "no";

  const endOfLine = () => {
    const announced = marker === "closed" || marker === "return" ? size : -1;
    word = 0;
    marker = "no";
    if (announced < 0) {
      lines += line;
      line = tokens = work = literals = literalBytes = arrived = 0;
      answers += 1;
      ended += 1;
      if (answers > mostAnswers)
        throw new Excess(`more than ${mostAnswers} answers to one command`);
      if (lines > mostAnswers * lineBytes) throw new Excess(`${lines} bytes of answers at once`);
      return;
    }
    literals += 1;
    literalBytes += announced;
    left = announced;
    if (announced > limits.literal || literalBytes > limits.literal + limits.line) {
      throw new Excess(`a text of ${literalBytes} bytes at once`);
    }
    if (literals > limits.literals) throw new Excess(`more than ${limits.literals} texts at once`);
  };
  const mark = (byte: number) => {
    if (byte === open) {
      marker = "digits";
      size = -1;
    } else if (marker === "digits" && byte >= 0x30 && byte <= 0x39) {
      size = Math.min(Math.max(size, 0) * 10 + byte - 0x30, Number.MAX_SAFE_INTEGER);
    } else if (marker === "digits" && byte === close && size >= 0) marker = "closed";
    else if (marker === "closed" && byte === CR) marker = "return";
    else marker = "no";
  };

  return {
    look(bytes) {
      for (let at = 0; at < bytes.length; at += 1) {
        if (left > 0) {
          const some = Math.min(left, bytes.length - at);
          left -= some;
          arrived += some;
          at += some - 1;
          continue;
        }
        const byte = bytes[at] ?? 0;
        line += 1;
        if (line > limits.line) throw new Excess(`a line of more than ${limits.line} bytes`);
        if (byte === LF) {
          endOfLine();
          continue;
        }
        if (byte === SP) word = 0;
        else {
          word += 1;
          work += word;
          if (work > limits.work) throw new Excess("a word without an end");
        }
        tokens += marks[byte] ?? 0;
        if (tokens > limits.tokens) throw new Excess(`more than ${limits.tokens} words at once`);
        if (byte === open || marker !== "no") mark(byte);
      }
    },
    begin(wanted) {
      answers = 0;
      lines = 0;
      mostAnswers = wanted + limits.answers;
    },
    ended: () => ended,
    arrived: () => arrived,
  };
}
