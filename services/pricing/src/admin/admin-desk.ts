import type { Refused } from '@tollkeeper/contracts';
import { idPattern } from '@tollkeeper/kernel';
import type { MessageContext } from '@tollkeeper/messaging';
import { z } from 'zod';
import type { Admins } from '../application/admins.js';
import { bookCommand, type BookCommand } from '../application/book-writer.js';
import type { PricingAdminCommand } from '../application/permissions.js';

/** What the domain or the service says no with, as a message says it. */
interface Refusing {
  readonly refused: string;
  readonly message: string;
  readonly retryable?: boolean;
}

export const toRefused = ({ refused, message, retryable = false }: Refusing): Refused => ({
  status: 'refused',
  reason: refused,
  message,
  retryable,
});

type Fields<Q> = Omit<Q, 'commandId'>;

/** From a message to an admin's command: whose key it is, whether the role covers it, and whether the body is one. */
export class AdminDesk {
  constructor(private readonly admins: Admins) {}

  /** `answer` gets the body's fields but its id, and the command to record with what they bring about. */
  async serve<Q extends object>(
    name: PricingAdminCommand,
    schema: z.ZodType<Q>,
    body: unknown,
    message: MessageContext,
    answer: (fields: Fields<Q>, command: BookCommand) => object | Promise<object>,
  ): Promise<object> {
    const admin = await this.admins.admit(message.header('adminKey'), name);
    if ('refused' in admin) return toRefused(admin);
    const parsed = schema.safeParse(body ?? {});
    if (!parsed.success) {
      return toRefused({ refused: 'invalid-request', message: z.prettifyError(parsed.error) });
    }
    const { commandId: inBody, ...fields } = parsed.data as Q & { readonly commandId?: string };
    const commandId = message.header('commandId') ?? inBody;
    if (commandId !== undefined && !idPattern.test(commandId)) {
      return toRefused({ refused: 'invalid-request', message: 'the command id is not an id' });
    }
    const command = bookCommand(name, admin.actor, fields, {
      commandId,
      correlationId: message.header('correlationId'),
      causationId: message.header('causationId'),
    });
    return answer(fields, command);
  }
}
