/** A line of the input with its number, from 1; without text where it was too long to keep. */
export interface Line {
  readonly number: number;
  readonly text: string | undefined;
}

/** Far above any vendor's answer; what is longer is not kept, so that memory stays constant. */
const lineBytesMax = 16 << 20;

const lineBreak = 10;

/** Cuts bytes into lines as they arrive. */
class LineCutter {
  private number = 0;
  private parts: Buffer[] = [];
  private bytes = 0;

  push(chunk: Buffer): Line[] {
    const lines: Line[] = [];
    let start = 0;
    for (let end = chunk.indexOf(lineBreak); end !== -1; end = chunk.indexOf(lineBreak, start)) {
      this.keep(chunk.subarray(start, end));
      lines.push(this.take());
      start = end + 1;
    }
    this.keep(chunk.subarray(start));
    return lines;
  }

  /** The last line may lack its break. */
  finish(): Line[] {
    return this.bytes === 0 ? [] : [this.take()];
  }

  private keep(part: Buffer): void {
    this.bytes += part.length;
    if (this.bytes > lineBytesMax) this.parts = [];
    else if (part.length > 0) this.parts.push(part);
  }

  private take(): Line {
    const [first] = this.parts;
    const whole = this.parts.length === 1 && first ? first : Buffer.concat(this.parts);
    const text = this.bytes > lineBytesMax ? undefined : whole.toString('utf8');
    this.parts = [];
    this.bytes = 0;
    this.number += 1;
    return { number: this.number, text };
  }
}

/** The input's lines, as many at a time as a chunk of it holds. */
export async function* linesOf(input: AsyncIterable<Buffer>): AsyncGenerator<readonly Line[]> {
  const cutter = new LineCutter();
  for await (const chunk of input) yield cutter.push(chunk);
  yield cutter.finish();
}
