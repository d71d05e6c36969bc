/** A piece of an IMAP stream. A line after a literal `continues` the one before it. */
export type Segment =
  | { type: "line"; text: string; bytes: Buffer; continues: boolean }
  | { type: "literal"; bytes: Buffer };

/** Takes bytes as they come and hands on lines (whole, `text` in latin1 without line end) and literals (in pieces). */
export function segments(take: (segment: Segment) => void): (bytes: Buffer) => void {
  let held: Buffer = Buffer.alloc(0);
  let literal = 0;
  let continues = false;
  return (bytes) => {
    held = held.length === 0 ? bytes : Buffer.concat([held, bytes]);
    while (held.length > 0) {
      if (literal > 0) {
        const piece = held.subarray(0, literal);
        held = held.subarray(piece.length);
        literal -= piece.length;
        take({ type: "literal", bytes: piece });
        continue;
      }
      const end = held.indexOf("\r\n", 0, "latin1");
      if (end === -1) return;
      const text = held.toString("latin1", 0, end);
      const line = held.subarray(0, end + 2);
      held = held.subarray(end + 2);
      const announced = /\{(\d+)\+?\}$/.exec(text);
      take({ type: "line", text, bytes: line, continues });
      literal = Number(announced?.[1] ?? 0);
      continues = announced !== null;
    }
  };
}
