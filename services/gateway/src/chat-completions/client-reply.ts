import type { FastifyReply } from 'fastify';

/** Slow readers make the vendor wait beyond this; the call's own time limit still holds. */
const bufferedBytesMax = 1 << 20;

/** The client's side of a call: it may leave at any moment, and the call goes on. */
export class ClientReply {
  private left = false;
  private streaming = false;
  private onDrain: (() => void) | undefined;

  constructor(private readonly reply: FastifyReply) {
    reply.raw.once('close', () => {
      this.left = !reply.raw.writableFinished;
      this.drained();
    });
  }

  get gone(): boolean {
    return this.left;
  }

  /** Whether a status has been sent. */
  get begun(): boolean {
    return this.streaming;
  }

  /** @param headers names and values in turn */
  beginStream(headers: readonly string[]): void {
    this.streaming = true;
    this.reply.hijack();
    if (this.left) return;
    this.reply.raw.writeHead(200, [
      'content-type',
      'text/event-stream; charset=utf-8',
      'cache-control',
      'no-cache',
      ...headers,
    ]);
  }

  /** @returns false where the client reads more slowly than the vendor writes */
  write(latin1: string): boolean {
    if (this.left || latin1 === '') return true;
    this.reply.raw.write(latin1, 'latin1');
    return this.reply.raw.writableLength < bufferedBytesMax;
  }

  /** Once, when the client has read enough, or left. */
  whenDrained(callback: () => void): void {
    if (this.onDrain) return;
    this.onDrain = callback;
    if (this.left) this.drained();
    else this.reply.raw.once('drain', () => this.drained());
  }

  end(latin1: string): void {
    if (!this.left) this.reply.raw.end(latin1, 'latin1');
  }

  sendJson(status: number, headers: readonly string[], body: string): void {
    this.reply.hijack();
    if (this.left) return;
    this.reply.raw.writeHead(status, [
      'content-type',
      'application/json; charset=utf-8',
      'content-length',
      String(Buffer.byteLength(body)),
      ...headers,
    ]);
    this.reply.raw.end(body);
  }

  private drained(): void {
    const callback = this.onDrain;
    this.onDrain = undefined;
    callback?.();
  }
}
