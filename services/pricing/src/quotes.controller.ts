import { Controller, Inject } from '@nestjs/common';
import { MessagePattern, Payload } from '@nestjs/microservices';
import {
  explainQuery,
  pricingSubjects,
  quoteQuery,
  type ExplainReply,
  type QuoteReply,
  type SettingsReply,
} from '@tollkeeper/contracts';
import { messageOf } from '@tollkeeper/kernel';
import { quote, type QuoteQuestion } from '@tollkeeper/pricing';
import { z } from 'zod';
import { toRefused } from './admin/admin-desk.js';
import { toSettingsReply } from './admin/settings.convert.js';
import { PriceBookReplica } from './application/price-book-replica.js';
import type { NoCharge, StoredCharge } from './application/stored-charge.js';
import { toExplainView } from './explain.convert.js';

export const storedCharges = Symbol('stored charges');
export type FindStoredCharge = (
  accountId: string,
  reservationId: string,
) => Promise<StoredCharge | NoCharge>;

const without: Readonly<Record<NoCharge, string>> = {
  'index-behind': 'is not known yet: the index follows the account',
  open: 'is open: nothing has been charged yet',
  none: 'has no charge',
};

const invalid = (error: z.ZodError): ReturnType<typeof toRefused> =>
  toRefused({ refused: 'invalid-request', message: z.prettifyError(error) });

/** Questions about what calls cost and were charged, and about what admins have set. */
@Controller()
export class QuotesController {
  constructor(
    @Inject(PriceBookReplica) private readonly replica: PriceBookReplica,
    @Inject(storedCharges) private readonly find: FindStoredCharge,
  ) {}

  @MessagePattern(pricingSubjects.quote)
  quote(@Payload() body: unknown): QuoteReply {
    const query = quoteQuery.safeParse(body ?? {});
    if (!query.success) return invalid(query.error);
    const { at, ...question } = query.data;
    // The contract sees to it that it is either usage or bounds.
    const found = quote(
      this.replica.prices,
      question as QuoteQuestion,
      at === undefined ? new Date() : new Date(at),
    );
    if ('refused' in found) return toRefused(found);
    return { ...found, lines: [...found.lines], flags: [...found.flags] };
  }

  @MessagePattern(pricingSubjects.explain)
  async explain(@Payload() body: unknown): Promise<ExplainReply> {
    const query = explainQuery.safeParse(body ?? {});
    if (!query.success) return invalid(query.error);
    const { accountId, reservationId } = query.data;
    let found: StoredCharge | NoCharge;
    try {
      found = await this.find(accountId, reservationId);
    } catch (error) {
      const message = `the charge cannot be looked up: ${messageOf(error)}`;
      return toRefused({ refused: 'busy', message, retryable: true });
    }
    if (typeof found === 'string') {
      const message = `${reservationId} ${without[found]}`;
      const retryable = found !== 'none';
      return toRefused({ refused: 'unknown-reservation', message, retryable });
    }
    const view = toExplainView(query.data, found, this.replica.records, new Date());
    if (view) return view;
    const message = 'the price book does not hold its rule yet';
    return toRefused({ refused: 'busy', message, retryable: true });
  }

  @MessagePattern(pricingSubjects.settings)
  settings(): SettingsReply {
    return toSettingsReply(this.replica.records, new Date());
  }
}
