/** A failure that is the user's to act on: printed as a sentence, never with a stack. */
export class CommandError extends Error {
  override readonly name = 'CommandError';
  constructor(
    readonly reason: string,
    message: string,
    readonly details?: unknown,
  ) {
    super(message);
  }
}
