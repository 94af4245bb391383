import type { IncomingHttpHeaders } from 'node:http';
import type { Dispatcher } from 'undici';
import { messageOf } from '@tollkeeper/kernel';

/** How a call of a vendor ended. */
export type UpstreamEnd =
  /** The whole answer came; `errorText` where its status is not 2xx. */
  | {
      readonly kind: 'complete';
      readonly status: number;
      readonly headers: IncomingHttpHeaders;
      readonly errorText: string;
    }
  /** Nothing was sent, so nothing can be billed. */
  | { readonly kind: 'unreached'; readonly cause: string }
  /** The request went out and the answer did not come to its end: billing is unknown. */
  | { readonly kind: 'lost'; readonly cause: string; readonly timedOut: boolean };

/** Takes the body of a 2xx answer as it comes. */
export interface UpstreamListener {
  onStart(headers: IncomingHttpHeaders, call: UpstreamCall): void;
  onData(chunk: Buffer): void;
}

const errorBytesMax = 64 << 10;

/** One request on undici's own callbacks: a stream and a promise a chunk cost more than the rest of a call. */
export class UpstreamCall implements Dispatcher.DispatchHandler {
  private controller: Dispatcher.DispatchController | undefined;
  private sent = false;
  private ended = false;
  private timedOut = false;
  private status = 0;
  private headers: IncomingHttpHeaders = {};
  private readonly errorChunks: Buffer[] = [];
  private errorBytes = 0;
  readonly startedAtMs = Date.now();

  constructor(
    private readonly listener: UpstreamListener,
    private readonly resolve: (end: UpstreamEnd) => void,
  ) {}

  pause(): void {
    this.controller?.pause();
  }

  resume(): void {
    this.controller?.resume();
  }

  abort(cause: string, timedOut = false): void {
    this.timedOut = timedOut;
    if (this.controller) this.controller.abort(new Error(cause));
    else this.end({ kind: 'unreached', cause });
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    // It waited for a connection longer than a call may last, and its caller has been answered.
    if (this.ended) {
      controller.abort(new Error('given up'));
      return;
    }
    this.controller = controller;
    this.sent = true;
  }

  onResponseStart(
    _controller: Dispatcher.DispatchController,
    status: number,
    headers: IncomingHttpHeaders,
  ): void {
    if (status < 200) return;
    this.status = status;
    this.headers = headers;
    if (status < 300) this.listener.onStart(headers, this);
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.status < 300) this.listener.onData(chunk);
    else if (this.errorBytes < errorBytesMax) {
      this.errorChunks.push(chunk);
      this.errorBytes += chunk.length;
    }
  }

  onResponseEnd(): void {
    const errorText = Buffer.concat(this.errorChunks).toString('utf8');
    this.end({ kind: 'complete', status: this.status, headers: this.headers, errorText });
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    const code = (error as NodeJS.ErrnoException).code;
    const cause = code === undefined ? messageOf(error) : `${code}: ${messageOf(error)}`;
    this.end(
      this.sent
        ? { kind: 'lost', cause, timedOut: this.timedOut || isTimeout(code) }
        : { kind: 'unreached', cause },
    );
  }

  private end(end: UpstreamEnd): void {
    if (this.ended) return;
    this.ended = true;
    this.resolve(end);
  }
}

const isTimeout = (code: string | undefined): boolean =>
  code === 'UND_ERR_HEADERS_TIMEOUT' || code === 'UND_ERR_BODY_TIMEOUT';
