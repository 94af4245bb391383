import { closeSync, mkdirSync, openSync, readFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';

/** One call as this vendor bills it. */
export interface InvoiceLine {
  /** The completion's id, which the client got. */
  readonly vendorRequestId: string;
  /** The client's `X-Client-Request-Id`. */
  readonly clientRequestId: string | undefined;
  readonly model: string;
  readonly promptTokens: number;
  readonly completionTokens: number;
  readonly cachedTokens: number;
  readonly billed: boolean;
  readonly at: string;
}

const linesMax = 1_000_000;

/** What this vendor would send at the end of the month. Survives a restart in its file. */
export class Invoice {
  private lines: { readonly at: string; readonly text: string }[] = [];
  private unwritten = '';
  private scheduled = false;
  private readonly file: number | undefined;

  constructor(dataDir: string | undefined) {
    if (dataDir === undefined) return;
    mkdirSync(dataDir, { recursive: true });
    const path = join(dataDir, 'invoice.jsonl');
    this.file = openSync(path, 'a+');
    for (const text of readFileSync(path, 'utf8').split('\n')) this.recall(text);
  }

  add(line: InvoiceLine): void {
    const text = JSON.stringify(line);
    this.lines.push({ at: line.at, text });
    if (this.lines.length > linesMax) this.lines = this.lines.slice(linesMax / 10);
    if (this.file === undefined) return;
    this.unwritten += `${text}\n`;
    if (this.scheduled) return;
    this.scheduled = true;
    // One write for all that one turn of the event loop billed: a write a call would be the cost.
    setImmediate(() => {
      this.scheduled = false;
      this.write();
    });
  }

  /** JSON lines of the calls billed at or after the time; of all without one. */
  text(since?: string): string {
    const wanted = since === undefined ? this.lines : this.lines.filter((line) => line.at >= since);
    return wanted.map((line) => `${line.text}\n`).join('');
  }

  get size(): number {
    return this.lines.length;
  }

  close(): void {
    this.write();
    if (this.file !== undefined) closeSync(this.file);
  }

  private write(): void {
    if (this.file === undefined || this.unwritten === '') return;
    writeSync(this.file, this.unwritten);
    this.unwritten = '';
  }

  private recall(text: string): void {
    // The last line may be half written after a kill.
    try {
      const line = JSON.parse(text) as InvoiceLine;
      this.lines.push({ at: line.at, text });
    } catch {
      return;
    }
  }
}
