import { Controller, Inject } from '@nestjs/common';
import { Ctx, MessagePattern, Payload } from '@nestjs/microservices';
import {
  chargedCallsQuery,
  dueQuery,
  id,
  pageQuery,
  projectionSubjects,
  recallQuery,
  rangeQuery,
  type Refused,
} from '@tollkeeper/contracts';
import type { MessageContext } from '@tollkeeper/messaging';
import type { Pool } from '@tollkeeper/postgres';
import { z } from 'zod';
import { findBalance } from './balances/balances.query.js';
import { pageTransactions } from './credit-transactions/credit-transactions.query.js';
import { pageDays } from './daily-summaries/daily-summaries.query.js';
import { pageGrants } from './grants/grants.query.js';
import { pageLimits } from './limits/limits.query.js';
import { readTrialBalance } from './journal/trial-balance.query.js';
import { readMargins } from './margin-by-tier/margin-by-tier.query.js';
import { findDue } from './due-work/due-work.query.js';
import { pageOpenReservations } from './open-reservations/open-reservations.query.js';
import { pagePriceChanges, readSystemConfig } from './price-book/price-book.query.js';
import type { AsOf } from './projector/as-of.js';
import type { Projector } from './projector/projector.js';
import { findRevisions } from './recall/recall.query.js';
import { pageChargedCalls } from './usage-log/charged-calls.query.js';
import { pageUsage } from './usage-log/usage-log.query.js';

export const readPool = Symbol('read pool');
export const projectorToken = Symbol('projector');

const revisionCursor = z
  .string()
  .regex(/^\d{1,15}$/, 'is not a cursor')
  .transform(Number)
  .optional();
const revisionPage = pageQuery.extend({ before: revisionCursor });
const transactionPage = pageQuery.extend({
  before: z
    .string()
    .regex(/^\d{1,15}\.[01]$/, 'is not a cursor')
    .transform((text) => {
      const [revision, part] = text.split('.');
      return [Number(revision), Number(part)] as const;
    })
    .optional(),
});
const dayPage = rangeQuery.extend({
  limit: pageQuery.shape.limit,
  before: z
    .string()
    .regex(/^\d{4}-\d{2}-\d{2}\.[A-Za-z0-9_-]{1,64}\.[a-z_]{1,32}$/, 'is not a cursor')
    .transform((text) => {
      const [localDate = '', accountId = '', tier = ''] = text.split('.');
      return [localDate, accountId, tier] as const;
    })
    .optional(),
});

const refuse = (reason: string, message: string, retryable: boolean): Refused => ({
  status: 'refused',
  reason,
  message,
  retryable,
});

/** Queries of the read models; subjects and bodies as in @tollkeeper/contracts. */
@Controller()
export class ProjectionController {
  constructor(
    @Inject(readPool) private readonly pool: Pool,
    @Inject(projectorToken) private readonly projector: Projector,
  ) {}

  @MessagePattern(projectionSubjects.balance('*'))
  balance(@Ctx() context: MessageContext): Promise<unknown> {
    return this.ofAccount(z.unknown(), undefined, context, async (accountId) => {
      const { found, ...asOf } = await findBalance(this.pool, accountId);
      return found
        ? { ...found, ...asOf }
        : refuse('unknown-account', `account ${accountId} is not known as of ${asOf.asOf}`, true);
    });
  }

  @MessagePattern(projectionSubjects.usage('*'))
  usage(@Payload() body: unknown, @Ctx() context: MessageContext): Promise<unknown> {
    return this.ofAccount(revisionPage, body, context, async (accountId, query) => {
      const { rows, ...rest } = await pageUsage(this.pool, accountId, {
        ...query,
        before: query.before,
      });
      return { accountId, usage: rows, ...rest };
    });
  }

  @MessagePattern(projectionSubjects.transactions('*'))
  transactions(@Payload() body: unknown, @Ctx() context: MessageContext): Promise<unknown> {
    return this.ofAccount(transactionPage, body, context, async (accountId, query) => {
      const { rows, ...rest } = await pageTransactions(this.pool, accountId, {
        ...query,
        before: query.before,
      });
      return { accountId, transactions: rows, ...rest };
    });
  }

  @MessagePattern(projectionSubjects.openReservations('*'))
  openReservations(@Payload() body: unknown, @Ctx() context: MessageContext): Promise<unknown> {
    return this.ofAccount(revisionPage, body, context, async (accountId, query) => {
      const { rows, ...rest } = await pageOpenReservations(this.pool, accountId, {
        ...query,
        before: query.before,
      });
      return { accountId, openReservations: rows, ...rest };
    });
  }

  @MessagePattern(projectionSubjects.grants('*'))
  grants(@Payload() body: unknown, @Ctx() context: MessageContext): Promise<unknown> {
    return this.ofAccount(revisionPage, body, context, async (accountId, query) => {
      const { rows, ...rest } = await pageGrants(this.pool, accountId, {
        ...query,
        before: query.before,
      });
      return { accountId, grants: rows, ...rest };
    });
  }

  @MessagePattern(projectionSubjects.limits('*'))
  limits(@Payload() body: unknown, @Ctx() context: MessageContext): Promise<unknown> {
    return this.ofAccount(revisionPage, body, context, async (accountId, query) => {
      const { rows, ...rest } = await pageLimits(this.pool, accountId, {
        ...query,
        before: query.before,
      });
      return { accountId, limits: rows, ...rest };
    });
  }

  @MessagePattern(projectionSubjects.chargedCalls)
  chargedCalls(@Payload() body: unknown): Promise<unknown> {
    return this.answer(chargedCallsQuery, body, (query) => pageChargedCalls(this.pool, query));
  }

  @MessagePattern(projectionSubjects.marginByTier)
  marginByTier(@Payload() body: unknown): Promise<unknown> {
    return this.answer(rangeQuery, body, async (query) => {
      const { rows, ...asOf } = await readMargins(this.pool, query);
      return { margins: rows, ...asOf };
    });
  }

  @MessagePattern(projectionSubjects.trialBalance)
  trialBalance(@Payload() body: unknown): Promise<unknown> {
    return this.answer(rangeQuery, body, async (query) => {
      const { rows, ...asOf } = await readTrialBalance(this.pool, query);
      return { accounts: rows, ...asOf };
    });
  }

  @MessagePattern(projectionSubjects.dailySummaries)
  dailySummaries(@Payload() body: unknown): Promise<unknown> {
    return this.answer(dayPage, body, async (query) => {
      const { rows, ...rest } = await pageDays(this.pool, { ...query, before: query.before });
      return { days: rows, ...rest };
    });
  }

  @MessagePattern(projectionSubjects.systemConfig)
  systemConfig(): Promise<unknown> {
    return readSystemConfig(this.pool);
  }

  @MessagePattern(projectionSubjects.priceChanges)
  priceChanges(@Payload() body: unknown): Promise<unknown> {
    return this.answer(revisionPage, body, async (query) => {
      const { rows, ...rest } = await pagePriceChanges(this.pool, {
        ...query,
        before: query.before,
      });
      return { changes: rows, ...rest };
    });
  }

  @MessagePattern(projectionSubjects.due)
  due(@Payload() body: unknown): Promise<unknown> {
    return this.answer(dueQuery, body, (query) =>
      findDue(this.pool, { ...query, after: query.after }),
    );
  }

  @MessagePattern(projectionSubjects.recall('*'))
  recall(@Payload() body: unknown, @Ctx() context: MessageContext): Promise<unknown> {
    return this.ofAccount(recallQuery, body, context, (accountId, query) =>
      findRevisions(this.pool, accountId, query.id),
    );
  }

  private async answer<Q>(
    schema: z.ZodType<Q>,
    body: unknown,
    read: (query: Q) => Promise<Partial<AsOf> & object>,
  ): Promise<unknown> {
    const query = schema.safeParse(body ?? {});
    if (!query.success) return refuse('invalid-request', z.prettifyError(query.error), false);
    const reply = await read(query.data);
    return 'stale' in reply && this.projector.stoppedBecause !== undefined
      ? { ...reply, stale: true }
      : reply;
  }

  private async ofAccount<Q>(
    schema: z.ZodType<Q>,
    body: unknown,
    context: MessageContext,
    read: (accountId: string, query: Q) => Promise<Partial<AsOf> & object>,
  ): Promise<unknown> {
    const accountId = id.safeParse(context.accountId);
    if (!accountId.success)
      return refuse('invalid-request', z.prettifyError(accountId.error), false);
    return this.answer(schema, body, (query) => read(accountId.data, query));
  }
}
