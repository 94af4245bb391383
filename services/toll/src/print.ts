import { messageOf } from '@tollkeeper/kernel';

import { CommandError } from './command-error.js';

/** For a person: lines. For a program (`--json`): one JSON document on standard output. */
export interface Printer {
  readonly result: (value: object, lines: readonly string[]) => void;
  readonly failure: (error: unknown) => void;
  /** Never on standard output when that is for a program. */
  readonly progress: (line: string) => void;
}

/** `  name   value` in two columns. */
export const columns = (fields: Readonly<Record<string, string>>): string[] => {
  const width = Math.max(...Object.keys(fields).map((name) => name.length));
  return Object.entries(fields).map(([name, value]) => `  ${name.padEnd(width)}  ${value}`);
};

/** Rows under their titles, each column as wide as its longest cell; `none` where there is no row. */
export const table = (
  titles: readonly string[],
  rows: readonly (readonly string[])[],
): string[] => {
  if (rows.length === 0) return ['none'];
  const all = [titles, ...rows];
  const widths = titles.map((_, at) => Math.max(...all.map((row) => (row[at] ?? '').length)));
  return all.map((row) =>
    `  ${row.map((cell, at) => cell.padEnd(widths[at] ?? 0)).join('  ')}`.trimEnd(),
  );
};

/** A reason that somebody wrote neither moves the cursor nor begins a line that another one seems to have written. */
export const printable = (line: string): string =>
  line.replace(/[\p{Cc}\p{Bidi_Control}]/gu, '\ufffd');

export const printer = (json: boolean): Printer => ({
  result: (value, lines) => {
    console.log(json ? JSON.stringify(value) : lines.map(printable).join('\n'));
  },
  failure: (error) => {
    console.error(json ? JSON.stringify({ error: describe(error) }) : `error: ${sentence(error)}`);
  },
  progress: (line) => {
    if (json) console.error(line);
    else console.log(line);
  },
});

const describe = (error: unknown): object =>
  error instanceof CommandError
    ? { reason: error.reason, message: error.message, details: error.details }
    : { reason: 'failed', message: messageOf(error) };

const sentence = (error: unknown): string => {
  if (error instanceof AggregateError) return error.errors.map(messageOf).join('; ');
  return error instanceof CommandError && error.reason !== ''
    ? `${error.message} (${error.reason})`
    : messageOf(error);
};
