import type { Units } from './credit-units.js';

export type ModelTier = 'free' | 'pro' | 'enterprise';

/** Tokens by meter. */
export type ModelUsage = Readonly<Record<string, number>>;

/** Rates in hundredths of a millionth of a US dollar for one token: 2.50 USD per million tokens is 250. */
interface ModelRates {
  readonly meters: Readonly<Record<string, bigint>>;
  readonly dearestInput: bigint;
  readonly output: bigint;
}

/** What the specs' price book says, written down a second time. Key: the version of a price, `provider:model@n`. */
const rates: Readonly<Record<string, ModelRates>> = {
  'openai:gpt-4o@1': {
    meters: { input: 250n, cache_read: 125n, output: 1000n },
    dearestInput: 250n,
    output: 1000n,
  },
  // Named by re-ratings alone.
  'openai:gpt-4o@2': {
    meters: { input: 500n, cache_read: 250n, output: 2000n },
    dearestInput: 500n,
    output: 2000n,
  },
  'openai:gpt-4o-mini@1': {
    // A cached token without a rate of its own costs what any input token does.
    meters: { input: 15n, cache_read: 15n, output: 60n },
    dearestInput: 15n,
    output: 60n,
  },
};

export interface ModelCandidate {
  readonly provider: string;
  readonly model: string;
}

export interface ModelBounds {
  readonly inputTokens: number;
  readonly outputTokens: number;
  readonly choices?: number;
  readonly outputMayShrink?: boolean;
}

export interface ModelCall {
  readonly candidates: readonly ModelCandidate[];
  readonly bounds: ModelBounds;
}

/** A candidate as it was quoted: hundredths of a millionth of a dollar that it costs at the most. */
export interface ModelQuoted extends ModelCandidate {
  readonly bound: bigint;
  readonly tenths: bigint;
  readonly priceVersion: string;
  /** Of the credits, when it was quoted. */
  readonly policy: ModelPolicy;
}

/** How finely credits are charged: to ten-thousandths, or to hundredths alone. */
export type ModelPolicy = 'fine' | 'coarse';

/** Undefined for what is finer. */
export const chargeable = (units: Units | undefined, policy: ModelPolicy): Units | undefined =>
  units === undefined || (policy === 'coarse' && units % 100n !== 0n) ? undefined : units;

export interface ModelAttempt extends ModelCandidate {
  readonly billed?: boolean;
  readonly provenance?: string;
  readonly usage?: ModelUsage;
}

const quotedVersion = ({ provider, model }: ModelCandidate): string => `${provider}:${model}@1`;

const ratesOf = (candidate: ModelCandidate): ModelRates | undefined =>
  rates[quotedVersion(candidate)];

/** Tenths that a tier is charged for each of the vendor's; nobody has said what an enterprise is. */
const multipliers: Readonly<Partial<Record<ModelTier, bigint>>> = { free: 20n, pro: 15n };

/** Cost × multiplier ÷ 0.01 USD per credit, rounded up to what is charged, once. */
const chargeUnits = (cost: bigint, tenths: bigint, policy: ModelPolicy): Units => {
  const step = policy === 'fine' ? 1n : 100n;
  return ((cost * tenths + 1000n * step - 1n) / (1000n * step)) * step;
};

/** What the free tier may call costs no more than 5 USD per million output tokens. */
export const isFree = (candidate: ModelCandidate): boolean => {
  const known = ratesOf(candidate);
  return known !== undefined && known.output <= 500n;
};

/** Undefined when a candidate, or the tier, has no price. */
export const quoteOf = (
  { candidates, bounds }: ModelCall,
  outputTokens: number,
  { tier, policy }: { readonly tier: ModelTier; readonly policy: ModelPolicy },
):
  | { readonly quoted: readonly ModelQuoted[]; readonly units: Units; readonly cost: bigint }
  | undefined => {
  const tenths = multipliers[tier];
  if (tenths === undefined) return undefined;
  const quoted: ModelQuoted[] = [];
  for (const candidate of candidates) {
    const known = ratesOf(candidate);
    if (!known) return undefined;
    const output = BigInt(outputTokens) * BigInt(bounds.choices ?? 1);
    const bound = BigInt(bounds.inputTokens) * known.dearestInput + output * known.output;
    const priceVersion = quotedVersion(candidate);
    quoted.push({ ...candidate, bound, tenths, priceVersion, policy });
  }
  const dearest = quoted.reduce((most, { bound }) => (bound > most ? bound : most), 0n);
  return { quoted, units: chargeUnits(dearest, tenths, policy), cost: dearest };
};

/** What a call came to: parts of a credit and of a dollar, and tokens of every pool. */
export interface ModelUsed {
  readonly units: Units;
  readonly cost: bigint;
  readonly tokens: bigint;
}

/** Tokens that a call may take at the most: its input, and the output of each choice. */
export const boundTokens = (bounds: ModelBounds, outputTokens: number): bigint =>
  BigInt(bounds.inputTokens) + BigInt(outputTokens) * BigInt(bounds.choices ?? 1);

/** A model outside the quote is priced as its first one. */
const quotedFor = (
  attempt: ModelAttempt,
  quoted: readonly ModelQuoted[],
): ModelQuoted | undefined =>
  quoted.find((each) => each.provider === attempt.provider && each.model === attempt.model) ??
  quoted[0];

/** Unknown is never zero: what was billed and cannot be priced costs, and counts, what was quoted at the most. */
const attemptUsed = (
  attempt: ModelAttempt,
  quoted: readonly ModelQuoted[],
  mostTokens: bigint,
): Pick<ModelUsed, 'cost' | 'tokens'> => {
  if (attempt.billed === false) return { cost: 0n, tokens: 0n };
  const candidate = quotedFor(attempt, quoted);
  if (!candidate) throw new Error('a quote without candidates');
  const most = { cost: candidate.bound, tokens: mostTokens };
  const used = Object.entries(attempt.usage ?? {}).filter(([, tokens]) => tokens > 0);
  if (attempt.provenance === 'unknown' || used.length === 0) return most;
  const meters = rates[candidate.priceVersion]?.meters ?? {};
  let cost = 0n;
  let all = 0n;
  for (const [meter, tokens] of used) {
    const rate = meters[meter];
    if (rate === undefined) return most;
    cost += rate * BigInt(tokens);
    all += BigInt(tokens);
  }
  return { cost, tokens: all };
};

export const usedBy = (
  attempts: readonly ModelAttempt[],
  quoted: readonly ModelQuoted[],
  mostTokens: bigint,
): ModelUsed => {
  let cost = 0n;
  let tokens = 0n;
  for (const attempt of attempts) {
    const used = attemptUsed(attempt, quoted, mostTokens);
    cost += used.cost;
    tokens += used.tokens;
  }
  const { tenths = 0n, policy = 'fine' } = quoted[0] ?? {};
  return { units: chargeUnits(cost, tenths, policy), cost, tokens };
};

/** The quote with another version of one model's price, by which these attempts are then priced; or why it cannot be. */
export const requoted = (
  quoted: readonly ModelQuoted[] | undefined,
  priceVersion: string,
  attempts: readonly ModelAttempt[],
): readonly ModelQuoted[] | 'unknown-price' | 'invalid-request' => {
  if (!rates[priceVersion]) return 'unknown-price';
  const isOf = ({ provider, model }: ModelCandidate): boolean =>
    priceVersion.startsWith(`${provider}:${model}@`);
  if (!quoted?.some(isOf)) return 'invalid-request';
  const again = quoted.map((each) => (isOf(each) ? { ...each, priceVersion } : each));
  const isUsed = attempts.some(
    (attempt) => quotedFor(attempt, again)?.priceVersion === priceVersion,
  );
  return isUsed ? again : 'invalid-request';
};
