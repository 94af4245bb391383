import { z } from 'zod';
import { tiers, usagePools, type UsagePools, type VendorRate } from '@tollkeeper/events';
import { messageOf, parseExact } from '@tollkeeper/kernel';
import { apis, isApi, type Api } from '@tollkeeper/usage';

import { inlineRates } from './inline-rates.js';
import { isRefusedLine, refuse, type RefusedLine } from './refusal.js';

export type Id = string | number;

/** What was used: as a vendor's raw answer tells it, or as pools. */
export type UsageQuestion =
  | { readonly api: Api; readonly response: unknown; readonly exact: unknown }
  | { readonly pools: UsagePools; readonly serviceTier: string | undefined };

export interface CostQuestion {
  readonly id: Id | undefined;
  readonly provider: string;
  /** As it was asked for; the one that answered may differ. */
  readonly model: string | undefined;
  readonly at: Date;
  readonly tier: (typeof tiers)[number];
  /** Where the call ran, where its answer does not say. */
  readonly region: string | undefined;
  readonly usage: UsageQuestion;
  /** In place of the book's. */
  readonly rates: readonly VendorRate[] | undefined;
}

/** What is known of a line that has no answer. */
export interface Unanswered extends RefusedLine {
  readonly id: Id | undefined;
}

const name = z.string().min(1).max(300);

const costLine = z.object({
  provider: name,
  model: name.optional(),
  at: z.union([z.iso.datetime({ offset: true }), z.iso.date()]),
  tier: z.enum(tiers).default('pro'),
  api: z.string().optional(),
  serviceTier: z.string().max(64).optional(),
  region: z.string().max(64).optional(),
});

type Fields = Readonly<Record<string, unknown>>;

const isFields = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const parseLine = (text: string): Fields | RefusedLine => {
  try {
    const value: unknown = JSON.parse(text);
    return isFields(value) ? value : refuse('invalid-line', 'not a JSON object');
  } catch (error) {
    return refuse('invalid-line', `not JSON: ${messageOf(error).slice(0, 200)}`);
  }
};

const isId = (value: unknown): value is Id =>
  typeof value === 'string' ||
  (typeof value === 'number' && (Number.isSafeInteger(value) || !Number.isInteger(value)));

const issueOf = (error: z.ZodError): string => {
  const [issue] = error.issues;
  if (!issue) return 'not as it should be';
  return issue.path.length === 0
    ? issue.message
    : `${issue.path.map(String).join('.')}: ${issue.message}`;
};

const meterName = /^[a-z][a-z0-9_]*$/;

const poolsOf = (usage: unknown): UsagePools | RefusedLine => {
  const pools = usagePools.safeParse(usage);
  if (!pools.success) return refuse('invalid-line', `usage.${issueOf(pools.error)}`);
  const meters = Object.keys(pools.data);
  if (meters.length === 0) return refuse('missing-usage', 'usage names no pool');
  const odd = meters.find((meter) => !meterName.test(meter));
  if (odd === undefined) return pools.data;
  return refuse('invalid-line', `usage: ${JSON.stringify(odd)} is not a meter's name`);
};

/** Where a line holds money as numbers, they are read by their text and through no double. */
const exactLine = (text: string, line: Fields): Fields => {
  const holdsMoney = line['rates'] !== undefined || line['api'] === 'openrouter.chat';
  return holdsMoney ? (parseExact(text) as Fields) : line;
};

const usageOf = (line: Fields, exact: Fields): UsageQuestion | RefusedLine => {
  const { api, response, usage, serviceTier } = line;
  if ((response === undefined) === (usage === undefined)) {
    return refuse('invalid-line', 'a line has either a response or a usage');
  }
  if (usage !== undefined) {
    const pools = poolsOf(usage);
    if (isRefusedLine(pools)) return pools;
    return { pools, serviceTier: typeof serviceTier === 'string' ? serviceTier : undefined };
  }
  if (typeof api === 'string' && isApi(api)) {
    return { api, response, exact: exact === line ? undefined : exact['response'] };
  }
  return refuse('unknown-api', `api is one of ${apis.join(', ')}`);
};

const questionOf = (text: string, line: Fields, id: Id | undefined): CostQuestion | RefusedLine => {
  const known = costLine.safeParse(line);
  if (!known.success) return refuse('invalid-line', issueOf(known.error));
  const exact = exactLine(text, line);
  const usage = usageOf(line, exact);
  if (isRefusedLine(usage)) return usage;
  const rates = exact['rates'] === undefined ? undefined : inlineRates(exact['rates']);
  if (rates && isRefusedLine(rates)) return rates;
  const { provider, model, at, tier, region } = known.data;
  return { id, provider, model, at: new Date(at), tier, region, usage, rates };
};

/** A line's text as a question, or why it is none. */
export const readCostLine = (text: string): CostQuestion | Unanswered => {
  const line = parseLine(text);
  if (isRefusedLine(line)) return { ...line, id: undefined };
  const { id } = line;
  if (id !== undefined && !isId(id)) {
    return {
      ...refuse('invalid-line', 'id is text, or a number that a double holds'),
      id: undefined,
    };
  }
  const question = questionOf(text, line, id);
  return isRefusedLine(question) ? { ...question, id } : question;
};
