import type { IncomingHttpHeaders } from 'node:http';
import { EventTooLongError, SseRelay } from '../usage/sse-relay.js';
import type { UpstreamCall, UpstreamListener } from '../vendors/upstream-call.js';
import type { ClientReply } from './client-reply.js';

const wholeBytesMax = 64 << 20;

/** A vendor's answer while it comes: a stream is passed through, a whole one gathered. */
export class Answer implements UpstreamListener {
  private readonly chunks: Buffer[] = [];
  private bytes = 0;
  private call: UpstreamCall | undefined;
  relay: SseRelay | undefined;
  requestId: string | undefined;

  constructor(
    private readonly client: ClientReply,
    private readonly stream: { readonly usageAsked: boolean } | undefined,
    private readonly replyHeaders: readonly string[],
  ) {}

  /** Whether anything of a 2xx answer has come. */
  get begun(): boolean {
    return this.call !== undefined;
  }

  get wholeText(): string {
    return Buffer.concat(this.chunks).toString('utf8');
  }

  onStart(headers: IncomingHttpHeaders, call: UpstreamCall): void {
    this.call = call;
    const id = headers['x-request-id'];
    this.requestId = typeof id === 'string' ? id : undefined;
    // A vendor that does not stream this model answers whole, and the client gets that.
    if (!this.stream || headers['content-type']?.startsWith('application/json')) return;
    this.relay = new SseRelay(this.stream.usageAsked);
    this.client.beginStream(this.replyHeaders);
  }

  onData(chunk: Buffer): void {
    if (this.relay) this.pass(this.relay, chunk);
    else this.gather(chunk);
  }

  private pass(relay: SseRelay, chunk: Buffer): void {
    try {
      if (this.client.write(relay.push(chunk))) return;
    } catch (error) {
      if (!(error instanceof EventTooLongError)) throw error;
      this.call?.abort(error.message);
      return;
    }
    this.call?.pause();
    this.client.whenDrained(() => this.call?.resume());
  }

  private gather(chunk: Buffer): void {
    this.bytes += chunk.length;
    if (this.bytes <= wholeBytesMax) this.chunks.push(chunk);
    else this.call?.abort('an answer without an end');
  }
}
