import {
  explainReply,
  pricingSubjects,
  quoteQuery,
  quoteReply,
  type ExplainView,
  type QuoteView,
} from '@tollkeeper/contracts';

import { CommandError } from '../command-error.js';
import { checkedId } from '../commands/account.js';
import { checkedCount } from '../commands/policy.js';
import type { Operator } from '../operator.js';
import { columns, table } from '../print.js';
import { exactBody } from './exact-body.js';

export interface QuoteOptions {
  readonly tier: string;
  /** Of one's own: `input=1000`, again for each pool. */
  readonly usage?: readonly string[];
  readonly inputTokens?: string;
  readonly outputTokens?: string;
  readonly choices?: string;
  readonly at?: string;
  readonly serviceTier?: string;
  readonly region?: string;
}

const countOf = (pool: string): [string, number] => {
  const [, name, tokens] = /^([a-z0-9_]{1,40})=(\d{1,10})$/.exec(pool) ?? [];
  if (name !== undefined && tokens !== undefined) return [name, Number(tokens)];
  throw new CommandError('invalid-option', `"${pool}" is not a pool of tokens, as in input=1000`);
};

/** Either pools of usage, or the bound of a call to come. */
export const questionOf = (provider: string, model: string, options: QuoteOptions) => {
  const { tier, usage, inputTokens, outputTokens, choices, at, serviceTier, region } = options;
  const isBound = inputTokens !== undefined || outputTokens !== undefined || choices !== undefined;
  return exactBody(quoteQuery, {
    ...{ provider, model, tier, at, serviceTier, region },
    usage: usage && Object.fromEntries(usage.map(countOf)),
    bounds: isBound
      ? {
          inputTokens: checkedCount('input-tokens', inputTokens ?? ''),
          outputTokens: checkedCount('output-tokens', outputTokens ?? ''),
          choices: checkedCount('choices', choices ?? '1'),
        }
      : undefined,
  });
};

export const quoteFor = (
  operator: Operator,
  body: ReturnType<typeof questionOf>,
): Promise<QuoteView> =>
  operator.order({ subject: pricingSubjects.quote, body, reply: quoteReply });

export const explanationOf = (
  operator: Operator,
  accountId: string,
  reservationId: string,
): Promise<ExplainView> => {
  const body = { accountId: checkedId(accountId), reservationId: checkedId(reservationId) };
  return operator.order({ subject: pricingSubjects.explain, body, reply: explainReply });
};

const costLines = (lines: QuoteView['lines']): string[] =>
  table(
    ['meter', 'quantity', 'rate', 'US dollars'],
    lines.map(({ meter, quantity, unit, per, rateUsd, costUsd }) => [
      meter,
      quantity,
      `${rateUsd} per ${per} ${unit}`,
      costUsd,
    ]),
  );

export const quoteLines = (quote: QuoteView): string[] => [
  ...costLines(quote.lines),
  ...columns({
    'vendor cost': `${quote.vendorCostUsd} US dollars (${quote.priceVersion})`,
    multiplier: `${quote.multiplier} (${quote.multiplierRule}, ${quote.multiplierLevel})`,
    charge: `${quote.chargeCredits} credits, ${quote.chargeUsd} US dollars`,
    ...(quote.margin === undefined ? {} : { margin: quote.margin }),
    ...(quote.flags.length === 0 ? {} : { flags: quote.flags.join(', ') }),
  }),
];
