/** What carries a question to the service and one answer back. */
export interface Link {
  /** The answer's JSON; undefined where it is none. @throws SilenceError, NotPermittedError, ClientClosedError, TypeError on a body that is too large */
  ask(subject: string, body: string, options: LinkOptions): Promise<unknown>;
  close(): Promise<void>;
}

export interface LinkOptions {
  readonly headers: Readonly<Record<string, string>>;
  readonly timeoutMs: number;
}

/** No answer came to one attempt. */
export class SilenceError extends Error {
  override readonly name = 'SilenceError';

  constructor(
    message: string,
    /** False where nobody can have got it. */
    readonly delivered: boolean,
    cause?: unknown,
  ) {
    super(message, { cause });
  }
}
