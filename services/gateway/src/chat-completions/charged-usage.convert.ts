import type { Attempt } from '@tollkeeper/contracts';
import type { Charge } from '../ledger/endings.js';
import { toEventText, type SseSummary } from '../usage/sse-relay.js';
import type { RefusalFields } from '../http/http-refusal.js';

const sum = (usage: Readonly<Record<string, number>>, names: readonly string[]): number =>
  names.reduce((total, name) => total + (usage[name] ?? 0), 0);

/** OpenAI's shape of what was settled, for answers whose vendor did not report. */
const settledUsage = (attempt: Attempt): object => {
  const usage = attempt.usage ?? {};
  const prompt = sum(usage, ['input', 'cache_read', 'cache_write', 'input_audio']);
  const completion = sum(usage, ['output', 'reasoning', 'output_audio']);
  return {
    prompt_tokens: prompt,
    completion_tokens: completion,
    total_tokens: prompt + completion,
  };
};

/** What the call cost, beside the vendor's counts: decimal strings. */
export const chargeFields = (charge: Charge, attempt: Attempt): object =>
  charge
    ? {
        charge_credits: charge.chargeCredits,
        cost_usd: charge.costUsd,
        price_version: charge.priceVersion,
        multiplier: charge.multiplier,
        provenance: charge.provenance ?? attempt.provenance,
        charge_status: 'settled',
      }
    : { provenance: attempt.provenance, charge_status: 'pending' };

const chargedUsage = (usage: unknown, charge: Charge, attempt: Attempt): object => ({
  ...(attempt.provenance === 'exact' && typeof usage === 'object' ? usage : settledUsage(attempt)),
  ...chargeFields(charge, attempt),
});

export const toChargedBody = (
  body: Record<string, unknown>,
  charge: Charge,
  attempt: Attempt,
): string => JSON.stringify({ ...body, usage: chargedUsage(body['usage'], charge, attempt) });

const usageChunk = (summary: SseSummary, attempt: Attempt): Record<string, unknown> => ({
  id: summary.id ?? '',
  object: 'chat.completion.chunk',
  created: Math.floor(Date.now() / 1000),
  model: summary.model ?? attempt.model,
  choices: [],
});

/** The end of a stream, which waits for the ledger. Latin-1, as the relay's text. */
export const toStreamEnd = (
  summary: SseSummary,
  charge: Charge,
  attempt: Attempt,
  how: { readonly usageAsked: boolean; readonly failure: RefusalFields | undefined },
): string => {
  const { failure } = how;
  if (failure) {
    const { message, type, code } = failure;
    const error = { message, type, param: null, code, ...chargeFields(charge, attempt) };
    return toEventText({ error });
  }
  const usage = how.usageAsked
    ? toEventText({
        ...(summary.heldEvent ?? usageChunk(summary, attempt)),
        usage: chargedUsage(summary.usage, charge, attempt),
      })
    : '';
  return `${usage}data: [DONE]\n\n`;
};
