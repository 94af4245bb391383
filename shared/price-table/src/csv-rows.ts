export interface CsvRow {
  /** Of its first line in the file, from 1. */
  readonly line: number;
  readonly cells: readonly string[];
}

/** RFC 4180: commas, quotes doubled inside quotes, breaks inside quotes. @throws SyntaxError where a quote is not closed */
export const csvRows = (text: string): CsvRow[] => {
  const rows: CsvRow[] = [];
  const input = text.startsWith('\uFEFF') ? text.slice(1) : text;
  let cells: string[] = [];
  let cell = '';
  let line = 1;
  let firstLine = 1;
  let isQuoted = false;
  const endRow = (): void => {
    cells.push(cell);
    cell = '';
    if (cells.length > 1 || cells[0]?.trim() !== '') rows.push({ line: firstLine, cells });
    cells = [];
  };
  for (let at = 0; at < input.length; at += 1) {
    const char = input[at];
    if (char === '\n') line += 1;
    if (isQuoted) {
      if (char !== '"') cell += char ?? '';
      else if (input[at + 1] === '"') {
        cell += '"';
        at += 1;
      } else isQuoted = false;
    } else if (char === '"' && cell === '') isQuoted = true;
    else if (char === ',') {
      cells.push(cell);
      cell = '';
    } else if (char === '\n') {
      endRow();
      firstLine = line;
    } else if (char !== '\r') cell += char ?? '';
  }
  if (isQuoted)
    throw new SyntaxError(`a quote that opens after line ${String(firstLine)} is not closed`);
  endRow();
  return rows;
};
