/**
 * Passes a vendor's server-sent events through while it watches for usage. Everything is handled as Latin-1
 * text: bytes survive the round trip whatever their encoding, and no multi-byte character can be cut.
 *
 * Cost matters here: a block of events without `"usage"` is forwarded as it came, unparsed.
 */

export interface SseSummary {
  /** The last `usage` that was not null; vendors that repeat it count up. */
  readonly usage: unknown;
  readonly id: string | undefined;
  readonly model: string | undefined;
  readonly serviceTier: string | undefined;
  /** Bytes of text that the model wrote, escapes included, and how many events carried some. */
  readonly outputBytes: number;
  readonly outputEvents: number;
  /** The vendor said that the stream is whole. */
  readonly done: boolean;
  /** The event with the final usage, kept back for a client that asked for it. */
  readonly heldEvent: Record<string, unknown> | undefined;
}

/** One event of a vendor does not get longer than this; a stream that pretends to is broken off. */
const lineBytesMax = 4 << 20;

export class EventTooLongError extends Error {
  override readonly name = 'EventTooLongError';
}

const nullUsage = /,\s*"usage"\s*:\s*null|"usage"\s*:\s*null\s*,/g;
const someUsage = /"usage"\s*:\s*\{/;
const textFields = [
  '"content":',
  '"arguments":',
  '"reasoning_content":',
  '"reasoning":',
  '"refusal":',
];

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const parseEvent = (line: string): Record<string, unknown> | undefined => {
  try {
    const value: unknown = JSON.parse(Buffer.from(line.slice(5), 'latin1').toString('utf8'));
    return isRecord(value) ? value : undefined;
  } catch {
    return undefined;
  }
};

export const toEventText = (event: object): string =>
  `data: ${Buffer.from(JSON.stringify(event), 'utf8').toString('latin1')}\n\n`;

/** Length of the JSON text that begins at `start`, without its closing quote. */
const textLength = (line: string, start: number): number => {
  let end = line.indexOf('"', start);
  while (end > start && line.charCodeAt(end - 1) === 92) {
    let slashes = 1;
    while (line.charCodeAt(end - 1 - slashes) === 92) slashes++;
    if (slashes % 2 === 0) break;
    end = line.indexOf('"', end + 1);
  }
  return end < 0 ? 0 : end - start;
};

export class SseRelay {
  private tail = '';
  private usage: unknown;
  private id: string | undefined;
  private model: string | undefined;
  private serviceTier: string | undefined;
  private looksLeft = 4;
  private outputBytes = 0;
  private outputEvents = 0;
  private done = false;
  private held: Record<string, unknown> | undefined;
  private swallowBlank = false;

  /** @param usageAsked Without it the client sees the stream as if nobody had asked for usage. */
  constructor(private readonly usageAsked: boolean) {}

  /** What to forward of a chunk, as Latin-1. @throws EventTooLongError */
  push(chunk: Buffer): string {
    const text = this.tail + chunk.toString('latin1');
    const end = text.lastIndexOf('\n') + 1;
    this.tail = end === text.length ? '' : text.slice(end);
    if (this.tail.length > lineBytesMax) throw new EventTooLongError('an event without an end');
    return end === 0 ? '' : this.forward(text.slice(0, end));
  }

  /** The end of the vendor's stream: a last line may lack its line break. */
  finish(): string {
    const rest = this.tail;
    this.tail = '';
    return rest === '' ? '' : this.forward(`${rest}\n`);
  }

  get summary(): SseSummary {
    const { usage, id, model, serviceTier, outputBytes, outputEvents, done, held } = this;
    return { usage, id, model, serviceTier, outputBytes, outputEvents, done, heldEvent: held };
  }

  /** @param block whole lines */
  private forward(block: string): string {
    this.measure(block);
    const plain =
      this.held === undefined &&
      !this.done &&
      !this.swallowBlank &&
      this.looksLeft === 0 &&
      !block.includes('[DONE]') &&
      !block.includes('"usage"');
    return plain ? block : this.forwardLines(block);
  }

  private forwardLines(block: string): string {
    let out = '';
    let start = 0;
    while (start < block.length) {
      const end = block.indexOf('\n', start) + 1;
      out += this.line(block.slice(start, end));
      start = end;
    }
    return out;
  }

  private line(line: string): string {
    if (this.done) return '';
    // The blank line behind an event that was kept back is kept back too: toEventText brings its own.
    if (line === '\n' || line === '\r\n') return this.swallowBlank ? this.swallow() : line;
    this.swallowBlank = false;
    if (!line.startsWith('data:')) return line;
    if (line.slice(5).trim() === '[DONE]') {
      this.done = true;
      return this.swallow(true);
    }
    if (this.looksLeft > 0) this.look(line);
    const released = this.releaseHeld();
    if (someUsage.test(line)) return released + this.usageLine(line);
    return released + (this.usageAsked ? line : line.replace(nullUsage, ''));
  }

  private swallow(next = false): string {
    this.swallowBlank = next;
    return '';
  }

  /** Usage that was not the last after all (some vendors count up in every event) goes on as it came. */
  private releaseHeld(): string {
    const held = this.held;
    this.held = undefined;
    return held ? toEventText(held) : '';
  }

  private usageLine(line: string): string {
    const event = parseEvent(line);
    if (!event || !isRecord(event['usage'])) return line;
    this.usage = event['usage'];
    this.note(event);
    if (this.usageAsked) {
      this.held = event;
      return this.swallow(true);
    }
    const { usage: _withheld, ...rest } = event;
    const choices = event['choices'];
    if (Array.isArray(choices) && choices.length === 0) return this.swallow(true);
    return `data: ${toEventText(rest).slice(6, -1)}`;
  }

  /** Id and model stand in the first events; Azure's very first has neither. */
  private look(line: string): void {
    this.looksLeft--;
    const event = parseEvent(line);
    if (event) this.note(event);
    if (this.id !== undefined && this.model !== undefined) this.looksLeft = 0;
  }

  private note(event: Record<string, unknown>): void {
    const { id, model, service_tier: tier } = event;
    if (typeof id === 'string' && id !== '') this.id = id;
    if (typeof model === 'string' && model !== '') this.model = model;
    if (typeof tier === 'string' && tier !== '') this.serviceTier = tier;
  }

  /** Without parsing, because it is needed only where the vendor does not report. */
  private measure(block: string): void {
    for (const field of textFields) {
      let at = block.indexOf(field);
      while (at !== -1) {
        let start = at + field.length;
        while (block.charCodeAt(start) === 32) start++;
        const length = block.charCodeAt(start) === 34 ? textLength(block, start + 1) : 0;
        if (length > 0) {
          this.outputBytes += length;
          this.outputEvents++;
        }
        at = block.indexOf(field, start + length);
      }
    }
  }
}
