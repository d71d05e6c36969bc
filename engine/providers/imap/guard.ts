import type { Transform } from "node:stream";
import type { Screen } from "./screen.ts";

/** Pieces smaller than this are put together: the parser keeps each as it came, at some hundred bytes apiece. */
const small = 4096;
const together = 64 * 1024;

/** Puts a screen in front of a parser. What it throws ends the parser, and with it the connection. */
export function guard(parser: Transform, screen: Screen): void {
  const parse = parser._transform.bind(parser);
  const held = Buffer.allocUnsafeSlow(together);
  let length = 0;

  parser._transform = (chunk: Buffer, encoding, next) => {
    const before = screen.ended();
    try {
      screen.look(chunk);
    } catch (error) {
      parser.destroy(error as Error);
      next();
      return;
    }
    if (chunk.length < small && screen.ended() === before && length + chunk.length <= together) {
      length += chunk.copy(held, length);
      next();
      return;
    }
    const whole = length === 0 ? chunk : Buffer.concat([held.subarray(0, length), chunk]);
    length = 0;
    parse(whole, encoding, next);
  };
}
