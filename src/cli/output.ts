/** Where results go: to stdout or a file, in the form and width that was asked for. */
import * as fs from "node:fs";
import { Option } from "commander";
import { type Paint, painter } from "../report/table.ts";
import { UsageError } from "./usage-error.ts";

const FORMATS = ["table", "json", "csv"] as const;
export type Format = (typeof FORMATS)[number];
/** Formats of what one reads from the top to the bottom: stories of schedules. */
export type DocumentFormat = "markdown" | "html";
/** Formats of charts: the chart alone, or a page with its numbers. */
export type ChartFormat = "svg" | "html";

const PIPE_COLUMNS = 120;
const MIN_COLUMNS = 60; // below that, and on a terminal that says 0, lines are left to the terminal

export interface OutputOptions<F extends Format | DocumentFormat | ChartFormat = Format> {
  readonly format: F;
  readonly out?: string;
}

export function formatOption(formats: readonly (Format | DocumentFormat | ChartFormat)[] = FORMATS): Option {
  return new Option("--format <format>", "how to print").choices(formats).default("table");
}

export function outOption(): Option {
  return new Option("--out <file>", "write to a file instead of stdout");
}

/** Colours for a terminal, unless NO_COLOR is set. */
export function paintFor(options: { readonly out?: string }): Paint {
  const terminal = options.out === undefined && process.stdout.isTTY;
  return painter(terminal && (process.env["NO_COLOR"] ?? "") === "");
}

export function columnsFor(options: { readonly out?: string }): number {
  if (options.out !== undefined || !process.stdout.isTTY) return PIPE_COLUMNS;
  return process.stdout.columns < MIN_COLUMNS ? PIPE_COLUMNS : process.stdout.columns;
}

/** Writes a finished report. @throws {UsageError} if the file cannot be written */
export function emit(text: string, options: { readonly out?: string }): void {
  if (options.out === undefined) {
    process.stdout.write(text);
    return;
  }
  try {
    fs.writeFileSync(options.out, text);
  } catch (cause) {
    throw new UsageError(`--out: ${options.out} cannot be written: ${reason(cause)}`);
  }
}

/** What went wrong with a file, without its name. */
export function reason(cause: unknown): string {
  const code = cause instanceof Error && "code" in cause ? cause.code : undefined;
  if (code === "ENOENT") return "no such file or directory";
  if (code === "EISDIR") return "it is a directory";
  if (code === "EACCES") return "permission denied";
  return cause instanceof Error ? cause.message : String(cause);
}

/** A line on stderr that the next one replaces; only on a terminal. */
export class Progress {
  readonly #shown = process.stderr.isTTY;

  show(text: string): void {
    const { columns } = process.stderr; // undefined where nobody knows how wide the terminal is
    const room = columns >= MIN_COLUMNS ? columns : MIN_COLUMNS;
    if (this.#shown) process.stderr.write(`\r\u001B[K${text.slice(0, room - 1)}`);
  }

  end(): void {
    if (this.#shown) process.stderr.write("\r\u001B[K");
  }
}
