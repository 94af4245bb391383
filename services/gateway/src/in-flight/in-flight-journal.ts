import {
  closeSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { messageOf } from '@tollkeeper/kernel';

/** What must be known of a call to end it after this process died: ids and bounds, nothing else. */
export interface InFlightCall {
  readonly reservationId: string;
  readonly accountId: string;
  readonly candidates: readonly { readonly provider: string; readonly model: string }[];
  readonly inputTokens: number;
  readonly outputTokens: number;
  readonly choices: number;
  /** After it, the credit service refuses the reserve as `too-late`. */
  readonly deadlineMs: number;
}

export interface OpenCall extends InFlightCall {
  /** The candidate that the vendor was called for; undefined where none was. */
  readonly dispatched: number | undefined;
}

interface OpenLines {
  readonly reserving: string;
  dispatched: string;
}

const rotateBytes = 64 << 20;
const endedDelayMs = 20;

/**
 * An append-only file in this process's data directory. It survives the process, not the machine: writes are
 * not fsynced, because what it loses with the machine expires by itself.
 *
 * A line is `R {call}` (about to reserve), `D <id> <candidate> <output tokens>` (about to call the vendor) or
 * `E <id>` (settled, released or spooled).
 */
export class InFlightJournal {
  private readonly open = new Map<string, OpenLines>();
  private file: number;
  private fileNo: number;
  private bytes = 0;
  private ended = '';
  private endedTimer: NodeJS.Timeout | undefined;
  private dispatches = '';
  private waiting: { resolve: () => void; reject: (error: Error) => void }[] = [];
  private failure: string | undefined;
  /** Calls that an earlier process left open. */
  readonly leftOpen: readonly OpenCall[];

  constructor(
    private readonly dir: string,
    private readonly onError: (message: string) => void,
  ) {
    mkdirSync(dir, { recursive: true });
    const earlier = filesIn(dir);
    const texts = earlier.map((no) => readFileSync(fileIn(dir, no), 'utf8'));
    const left = fold(texts.join(''));
    this.leftOpen = left.map(({ call }) => call);
    for (const { call, lines } of left) this.open.set(call.reservationId, lines);
    this.fileNo = (earlier.at(-1) ?? 0) + 1;
    this.file = this.begin(this.fileNo);
    for (const no of earlier) rmSync(fileIn(dir, no));
  }

  /** Undefined while calls can be noted. */
  get broken(): string | undefined {
    return this.failure;
  }

  get size(): number {
    return this.open.size;
  }

  /** In one write, before the reserves are published. */
  reserving(calls: readonly InFlightCall[]): void {
    let text = '';
    for (const call of calls) {
      const reserving = `R ${JSON.stringify(call)}\n`;
      this.open.set(call.reservationId, { reserving, dispatched: '' });
      text += reserving;
    }
    this.write(text);
  }

  /** Resolves once it is written; all calls of one turn of the event loop share a write. Rejects where it cannot. */
  dispatched(reservationId: string, candidate: number, outputTokens: number): Promise<void> {
    const line = `D ${reservationId} ${String(candidate)} ${String(outputTokens)}\n`;
    const lines = this.open.get(reservationId);
    if (lines) lines.dispatched = line;
    this.dispatches += line;
    if (this.waiting.length === 0) setImmediate(() => this.flushDispatches());
    return new Promise((resolve, reject) => this.waiting.push({ resolve, reject }));
  }

  /** Written with the next lines: a repeated settle is harmless, so this one may be late or lost. */
  end(reservationId: string): void {
    if (!this.open.delete(reservationId)) return;
    this.ended += `E ${reservationId}\n`;
    this.endedTimer ??= setTimeout(() => this.write(''), endedDelayMs);
  }

  /** True when the file can be written again. */
  probe(): boolean {
    this.write('\n');
    return this.failure === undefined;
  }

  close(): void {
    this.write('');
    clearTimeout(this.endedTimer);
    closeSync(this.file);
  }

  private flushDispatches(): void {
    const { dispatches, waiting } = this;
    this.dispatches = '';
    this.waiting = [];
    const error = this.write(dispatches);
    for (const { resolve, reject } of waiting) {
      if (error) reject(error);
      else resolve();
    }
  }

  private write(text: string): Error | undefined {
    clearTimeout(this.endedTimer);
    this.endedTimer = undefined;
    const all = this.ended + text;
    if (all === '') return undefined;
    try {
      // A line that a full disk cut short must not swallow the next one.
      this.bytes += writeSync(this.file, this.failure === undefined ? all : `\n${all}`);
      this.ended = '';
      this.failure = undefined;
      if (this.bytes > rotateBytes) this.rotate();
      return undefined;
    } catch (error) {
      this.failure = messageOf(error);
      this.onError(this.failure);
      return new Error(this.failure, { cause: error });
    }
  }

  /** A new file with the open calls alone; the old one goes only when the new one is written. */
  private rotate(): void {
    const [oldFile, oldNo] = [this.file, this.fileNo];
    this.file = this.begin(oldNo + 1);
    this.fileNo = oldNo + 1;
    closeSync(oldFile);
    rmSync(fileIn(this.dir, oldNo));
  }

  private begin(no: number): number {
    const file = openSync(fileIn(this.dir, no), 'a');
    let text = '';
    for (const { reserving, dispatched } of this.open.values()) text += reserving + dispatched;
    this.bytes = text === '' ? 0 : writeSync(file, text);
    return file;
  }
}

const fileIn = (dir: string, no: number): string =>
  join(dir, `in-flight-${String(no).padStart(9, '0')}.log`);

const filesIn = (dir: string): number[] =>
  readdirSync(dir)
    .flatMap((name) => /^in-flight-(\d{9})\.log$/.exec(name)?.[1] ?? [])
    .map(Number)
    .sort((a, b) => a - b);

interface Left {
  call: OpenCall;
  lines: OpenLines;
}

/** Lines that do not parse were being written when the process died: their calls had not gone out. */
const fold = (text: string): readonly Left[] => {
  const open = new Map<string, Left>();
  for (const line of text.split('\n')) {
    const rest = line.slice(2);
    if (line.startsWith('R ')) {
      const call = parseCall(rest);
      if (!call) continue;
      const lines = { reserving: `${line}\n`, dispatched: '' };
      open.set(call.reservationId, { call: { ...call, dispatched: undefined }, lines });
    } else if (line.startsWith('D ')) {
      const [id = '', candidate, outputTokens] = rest.split(' ');
      const left = open.get(id);
      if (!left || outputTokens === undefined) continue;
      left.lines.dispatched = `${line}\n`;
      left.call = {
        ...left.call,
        dispatched: Number(candidate),
        outputTokens: Number(outputTokens),
      };
    } else if (line.startsWith('E ')) open.delete(rest);
  }
  return [...open.values()];
};

const parseCall = (text: string): InFlightCall | undefined => {
  try {
    return JSON.parse(text) as InFlightCall;
  } catch {
    return undefined;
  }
};
