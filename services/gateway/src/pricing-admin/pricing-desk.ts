import { headers, refused, type Refused } from '@tollkeeper/contracts';
import { messageOf, uuidv7 } from '@tollkeeper/kernel';
import { NoReplyError } from '@tollkeeper/messaging';
import type { z } from 'zod';
import { problemOf } from '../http/http-refusal.js';
import { toPricingProblem } from './pricing-refusal.convert.js';

/** One NATS request with its deadline. */
export type Send = (
  subject: string,
  body: object,
  headers: Readonly<Record<string, string>>,
) => Promise<unknown>;

interface Question<Reply> {
  readonly subject: string;
  readonly body: object;
  readonly reply: z.ZodType<Reply>;
}

/** Questions that are open to all need neither. */
interface Asker {
  readonly adminKey?: string;
  readonly commandId?: string | undefined;
}

/**
 * Where HTTP requests of admins become messages to the pricing service, which alone judges what a key may do. Refusals
 * become problems; where no answer came, the caller is told the id under which the same command can be sent again.
 */
export class PricingDesk {
  constructor(
    private readonly send: Send,
    private readonly onError: (cause: string) => void,
  ) {}

  /** @throws HttpRefusal */
  async ask<Reply extends object>(
    { adminKey, commandId = uuidv7() }: Asker,
    { subject, body, reply }: Question<Reply>,
  ): Promise<Exclude<Reply, Refused>> {
    const answer = await this.sent(subject, body, {
      [headers.commandId]: commandId,
      ...(adminKey !== undefined && { [headers.adminKey]: adminKey }),
    });
    const refusal = refused.safeParse(answer);
    if (refusal.success) throw toPricingProblem(refusal.data);
    return reply.parse(answer) as Exclude<Reply, Refused>;
  }

  private async sent(
    subject: string,
    body: object,
    fields: Readonly<Record<string, string>>,
  ): Promise<unknown> {
    try {
      return await this.send(subject, body, fields);
    } catch (error) {
      if (!(error instanceof NoReplyError)) throw error;
      this.onError(messageOf(error));
      const commandId = fields[headers.commandId];
      const message = 'There was no answer. Try again; a change with this id as Idempotency-Key.';
      throw problemOf(503, 'no-reply', message, { retryAfterS: 1, extra: { commandId } });
    }
  }
}
