import { CsvError, parse } from "csv-parse/sync";
import { harmless, UserError } from "../engine/domain/errors.ts";
import { faultOfMailbox } from "./mailbox.ts";
import { nearest } from "./nearest.ts";

export const columns = [
  "source",
  "target",
  "workload",
  "source_user",
  "source_password_env",
  "target_user",
  "target_password_env",
] as const;
export type Column = (typeof columns)[number];

/** One line of the file, checked as far as it alone can be. Absent and empty cells are null. */
export type CsvRow = Record<Exclude<Column, "source" | "target" | "workload">, string | null> & {
  /** As an editor counts the file's lines. */
  line: number;
  source: string;
  target: string;
};

/** What is wrong, and where: row by line, column by name. */
export interface Fault {
  line: number;
  column: string;
  text: string;
}

const aliases: Record<string, Column> = {
  from: "source",
  old: "source",
  source_address: "source",
  source_email: "source",
  source_mailbox: "source",
  to: "target",
  new: "target",
  destination: "target",
  target_address: "target",
  target_email: "target",
  target_mailbox: "target",
  destination_email: "target",
  type: "workload",
  project_type: "workload",
  source_login: "source_user",
  source_username: "source_user",
  target_login: "target_user",
  target_username: "target_user",
};

const mostBytes = 5 * 1024 * 1024;
const mostRows = 10_000;

/**
 * Reads a list of mailboxes. Finds every fault it can in one go. Throws `UserError` only where the file as a
 * whole cannot be read. Pure; cells are never repeated unless they are mailboxes.
 */
export function readCsv(text: string): { rows: CsvRow[]; faults: Fault[] } {
  refuseFile(text);
  const [header, ...lines] = records(text);
  if (header === undefined) {
    throw new UserError(
      "The file is empty; nothing was imported. Its first line names the columns: `source,target`.",
    );
  }
  const { places, faults } = readHeader(header);
  if (lines.length === 0)
    faults.push({ line: header.line, column: "all", text: "no line follows the header" });
  if (lines.length > mostRows) {
    throw new UserError(
      `The file has ${lines.length} rows; at most ${mostRows} fit. Nothing was imported. Split it.`,
    );
  }
  const rows = faults.some((fault) => fault.column !== "all")
    ? []
    : lines.flatMap((line) => readRow(line, header.cells.length, places, faults) ?? []);
  faults.push(...duplicates(rows));
  return { rows, faults };
}

/** Says all faults, one a line. */
export function faultsText(faults: Fault[], most = 50): string {
  const lines = faults
    .toSorted((a, b) => a.line - b.line)
    .slice(0, most)
    .map(
      (one) =>
        `  row ${one.line}, ${one.column === "all" ? "whole row" : `column ${one.column}`}: ${one.text}`,
    );
  const more = faults.length > most ? `\n  and ${faults.length - most} more` : "";
  return `${faults.length} ${faults.length === 1 ? "fault" : "faults"} in the file; nothing was imported. Correct them and type the command again:\n${lines.join("\n")}${more}`;
}

function refuseFile(text: string): void {
  if (Buffer.byteLength(text) > mostBytes) {
    throw new UserError("The file is larger than 5 MB; nothing was imported. Split it.");
  }
  if (text.includes("\ufffd") || text.includes("\0")) {
    throw new UserError(
      "The file is not UTF-8 text; nothing was imported. Save it as “CSV UTF-8”.",
    );
  }
}

interface Line {
  line: number;
  cells: string[];
}

function records(text: string): Line[] {
  try {
    const parsed = parse(text, {
      bom: true,
      delimiter: delimiterOf(text),
      info: true,
      relax_column_count: true,
      skip_empty_lines: true,
      trim: true,
    }) as unknown as { record: string[]; info: { lines: number } }[];
    return parsed
      .map(({ record, info }) => ({ line: info.lines, cells: record }))
      .filter(({ cells }) => cells.some((cell) => cell !== ""));
  } catch (error) {
    if (!(error instanceof CsvError)) throw error;
    const line = typeof error.lines === "number" ? ` near row ${error.lines}` : "";
    throw new UserError(
      `The file's quotation marks do not match${line}; nothing was imported. A cell that holds one is written "like ""this""".`,
    );
  }
}

function delimiterOf(text: string): string {
  const header =
    text
      .replace(/^\ufeff/, "")
      .trimStart()
      .split(/\r\n|\n|\r/, 1)[0] ?? "";
  const bare = header.replace(/"[^"]*"/g, "");
  const counts = [",", ";", "\t"].map((one) => ({ one, times: bare.split(one).length - 1 }));
  return counts.sort((a, b) => b.times - a.times)[0]?.one ?? ",";
}

function readHeader(header: Line): { places: Map<Column, number>; faults: Fault[] } {
  const places = new Map<Column, number>();
  const faults: Fault[] = [];
  const fault = (column: string, text: string) => faults.push({ line: header.line, column, text });
  header.cells.forEach((cell, at) => {
    const name = cell.toLowerCase().replace(/[\s-]+/g, "_");
    const shown = harmless(cell, 40) || `number ${at + 1}`;
    const column = columns.find((one) => one === name) ?? aliases[name];
    if (column === undefined) {
      if (/pass|pwd|secret|token|kennwort/.test(name)) {
        fault(
          shown,
          "passwords do not belong into a file: change them, and name variables in source_password_env and target_password_env",
        );
        return;
      }
      const near = nearest(name, columns);
      fault(
        shown,
        near === null
          ? `is not known; the columns are ${columns.join(", ")}`
          : `is not known; did you mean ${near}?`,
      );
    } else if (places.has(column)) fault(shown, `is the second column for ${column}; keep one`);
    else places.set(column, at);
  });
  for (const needed of ["source", "target"] as const) {
    if (!places.has(needed) && faults.length === 0) {
      fault(needed, "is missing; the first line names the columns: `source,target`");
    }
  }
  return { places, faults };
}

function readRow(
  { line, cells }: Line,
  width: number,
  places: Map<Column, number>,
  faults: Fault[],
): CsvRow | null {
  const before = faults.length;
  if (cells.length !== width) {
    faults.push({
      line,
      column: "all",
      text: `has ${cells.length} cells where the header has ${width}; quote cells that hold the separator`,
    });
    return null;
  }
  const cell = (column: Column) => {
    const at = places.get(column);
    const value = at === undefined ? "" : (cells[at] ?? "");
    return value === "" ? null : value;
  };
  for (const column of ["source", "target"] as const) {
    const value = cell(column) ?? "";
    const fault = faultOfMailbox(value);
    if (fault !== null) {
      const shown = value === "" ? "" : `${harmless(value, 60)} `;
      faults.push({
        line,
        column,
        text: `${shown}${fault}; write it like anna@${column === "source" ? "old" : "new"}.example`,
      });
    }
  }
  const workload = cell("workload");
  if (workload !== null && !/^(mailbox|mail|e-?mail)$/i.test(workload)) {
    faults.push({
      line,
      column: "workload",
      text: "only mailbox is carried in this version; write mailbox or leave it empty",
    });
  }
  for (const column of ["source_user", "target_user"] as const) {
    const value = cell(column);
    if (value !== null && (value.length > 320 || /[\p{Cc}\p{Cf}]/u.test(value))) {
      faults.push({
        line,
        column,
        text: "holds a control character or is longer than 320; write a login name",
      });
    }
  }
  if (faults.length > before) return null;
  return {
    line,
    source: cell("source") ?? "",
    target: cell("target") ?? "",
    source_user: cell("source_user"),
    source_password_env: cell("source_password_env"),
    target_user: cell("target_user"),
    target_password_env: cell("target_password_env"),
  };
}

function duplicates(rows: CsvRow[]): Fault[] {
  const faults: Fault[] = [];
  for (const column of ["source", "target"] as const) {
    const seen = new Map<string, number>();
    for (const row of rows) {
      const key = row[column].toLowerCase();
      const first = seen.get(key);
      if (first === undefined) seen.set(key, row.line);
      else
        faults.push({
          line: row.line,
          column,
          text: `${row[column]} stands in row ${first} already; keep one`,
        });
    }
  }
  return faults;
}
