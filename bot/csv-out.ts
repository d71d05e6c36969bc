/**
 * Rows as a CSV file (RFC 4180, with a byte order mark, which spreadsheets want for UTF-8). No cell can start
 * a formula in a spreadsheet: what looks like one gets an apostrophe in front.
 */
export function csvText(columns: string[], rows: string[][]): string {
  return `\ufeff${[columns, ...rows].map((row) => row.map(cell).join(",")).join("\r\n")}\r\n`;
}

/** Signs a spreadsheet takes for the start of a formula, also after quotes and blanks and in full width. */
const formula = /^[\s"'\u00a0\u3000]*[=+\-@\t\r\uff1d\uff0b\uff0d\uff20]/u;

function cell(text: string): string {
  const safe = formula.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
