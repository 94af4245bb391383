import type { CreditAccountEvent, PriceBookEvent } from '@tollkeeper/events';
import { parseMoney } from '@tollkeeper/kernel';
import { PriceBook } from '@tollkeeper/pricing';
import { expect } from 'vitest';
import type { Attempt, CreditCommand } from './commands.js';
import type { DecisionContext } from './context.js';
import { decide } from './decide.js';
import { evolve } from './evolve.js';
import { followUps } from './follow-ups.js';
import { defaultRules, type AccountRules } from './rules.js';
import { newAccount, type CreditAccount } from './state.js';
import type { Refusal, Verdict } from './verdict.js';

/** Given/when/then over one account: events and commands in, events or a refusal out. */

export const startedAt = new Date('2026-03-01T12:00:00.000Z');

/** The specs' price book, as the events that make it. */
export const priceEvents = (): PriceBookEvent[] => {
  const from = '2020-01-01T00:00:00.000Z';
  return [
    {
      type: 'VendorPricePublished',
      data: {
        priceVersion: 'openai:gpt-4o@1',
        provider: 'openai',
        model: 'gpt-4o',
        aliases: ['cheap-sounding'],
        effectiveFrom: from,
        rates: [
          { meter: 'input', unit: 'token', per: '1000000', rateUsd: '2.5' },
          { meter: 'cache_read', unit: 'token', per: '1000000', rateUsd: '1.25' },
          { meter: 'output', unit: 'token', per: '1000000', rateUsd: '10' },
        ],
        source: { name: 'test' },
      },
    },
    // Twice as dear, and in force long after any spec: only a re-rating names it.
    {
      type: 'VendorPricePublished',
      data: {
        priceVersion: 'openai:gpt-4o@2',
        provider: 'openai',
        model: 'gpt-4o',
        effectiveFrom: '2099-01-01T00:00:00.000Z',
        rates: [
          { meter: 'input', unit: 'token', per: '1000000', rateUsd: '5' },
          { meter: 'cache_read', unit: 'token', per: '1000000', rateUsd: '2.5' },
          { meter: 'output', unit: 'token', per: '1000000', rateUsd: '20' },
        ],
        source: { name: 'test' },
      },
    },
    {
      type: 'VendorPricePublished',
      data: {
        priceVersion: 'openai:gpt-4o-mini@1',
        provider: 'openai',
        model: 'gpt-4o-mini',
        effectiveFrom: from,
        rates: [
          { meter: 'input', unit: 'token', per: '1000000', rateUsd: '0.15' },
          { meter: 'output', unit: 'token', per: '1000000', rateUsd: '0.6' },
        ],
        source: { name: 'test' },
      },
    },
    {
      type: 'VendorPricePublished',
      data: {
        priceVersion: 'openai:embed@1',
        provider: 'openai',
        model: 'embed',
        effectiveFrom: from,
        rates: [{ meter: 'input', unit: 'token', per: '1000000', rateUsd: '0.02' }],
        source: { name: 'test' },
      },
    },
    {
      type: 'MultiplierProposed',
      data: {
        ruleId: 'pro@1',
        scope: { tier: 'pro' },
        multiplier: '1.5',
        effectiveFrom: from,
        reason: 'test',
      },
    },
    { type: 'MultiplierApproved', data: { ruleId: 'pro@1' } },
    {
      type: 'MultiplierProposed',
      data: {
        ruleId: 'free@1',
        scope: { tier: 'free' },
        multiplier: '2',
        effectiveFrom: from,
        reason: 'test',
      },
    },
    { type: 'MultiplierApproved', data: { ruleId: 'free@1' } },
    {
      type: 'CreditPolicySet',
      data: {
        policyId: 'policy@1',
        usdPerCredit: '0.01',
        decimals: 4,
        rounding: 'ceil',
        effectiveFrom: from,
      },
    },
  ];
};

export const priceBook = (): PriceBook => {
  const book = new PriceBook();
  for (const event of priceEvents()) book.apply(event);
  return book;
};

const book = priceBook();

export const opened: CreditAccountEvent = {
  type: 'AccountOpened',
  data: {
    accountId: 'acc_1',
    kind: 'personal',
    ownerUserId: 'usr_1',
    tier: 'pro',
    timeZone: 'Europe/Berlin',
  },
};

export const granted = (
  amountCredits: string,
  grantId = 'g1',
  more: { priority?: number; expiresAt?: string; effectiveAt?: string } = {},
): CreditAccountEvent => ({
  type: 'CreditsGranted',
  data: {
    grantId,
    kind: 'purchase',
    amountCredits,
    priority: more.priority ?? 100,
    effectiveAt: more.effectiveAt ?? '2026-01-01T00:00:00.000Z',
    ...(more.expiresAt === undefined ? {} : { expiresAt: more.expiresAt }),
    localDate: '2026-01-01',
  },
});

/** 1,000 input and `outputTokens` output tokens of gpt-4o: (0.0025 + 0.00001 × output) × 1.5 × 100 credits. */
export const reserveCall = (
  id: string,
  outputTokens = 100,
  more: Partial<Extract<CreditCommand, { type: 'ReserveCompletion' }>> & {
    choices?: number;
    outputMayShrink?: boolean;
    serviceTier?: string;
    region?: string;
  } = {},
): CreditCommand => ({
  type: 'ReserveCompletion',
  commandId: id,
  commandHash: `reserve ${id} ${String(outputTokens)}`,
  purpose: { userId: 'usr_1' },
  candidates: more.candidates ?? [{ provider: 'openai', model: 'gpt-4o' }],
  bounds: {
    inputTokens: 1000,
    outputTokens,
    choices: more.choices ?? 1,
    serviceTier: more.serviceTier,
    region: more.region,
    outputMayShrink: more.outputMayShrink ?? false,
  },
  requestStartedAt: more.requestStartedAt,
});

export const attempt = (usage: Record<string, number>, more: Partial<Attempt> = {}): Attempt => ({
  provider: 'openai',
  model: 'gpt-4o',
  answeredModel: undefined,
  vendorRequestId: 'chatcmpl-1',
  serviceTier: undefined,
  billed: true,
  provenance: 'exact',
  usage,
  failure: undefined,
  ...more,
});

export const settleCall = (
  reservationId: string,
  usage: Record<string, number>,
  more: Partial<Attempt> = {},
): CreditCommand => ({
  type: 'Settle',
  commandId: `settle ${reservationId}`,
  commandHash: `settle ${reservationId} ${JSON.stringify(usage)}`,
  reservationId,
  attempts: [attempt(usage, more)],
  amountCredits: undefined,
});

export const reservePlain = (id: string, amountCredits: string): CreditCommand => ({
  type: 'ReserveAmount',
  commandId: id,
  commandHash: `reserve ${id} ${amountCredits}`,
  purpose: {},
  amountCredits: parseMoney(amountCredits),
});

export const settlePlain = (reservationId: string, amountCredits: string): CreditCommand => ({
  type: 'Settle',
  commandId: `settle ${reservationId}`,
  commandHash: `settle ${reservationId} ${amountCredits}`,
  reservationId,
  attempts: [],
  amountCredits: parseMoney(amountCredits),
});

export const release = (
  reservationId: string,
  reason: 'failed' | 'cancelled' | 'expired' = 'failed',
): CreditCommand => ({
  type: 'Release',
  commandId: `release ${reservationId} ${reason}`,
  commandHash: `release ${reservationId} ${reason}`,
  reservationId,
  reason,
  attempts: [],
});

export interface Step {
  readonly when: (command: CreditCommand, at?: Date) => Outcome;
}

export interface Outcome extends Step {
  readonly verdict: Verdict;
  readonly account: CreditAccount;
  /** What the command led to, consequences included. */
  readonly events: readonly CreditAccountEvent[];
  readonly then: (...types: CreditAccountEvent['type'][]) => Outcome;
  readonly thenNothing: () => Outcome;
  /** Also with this message and these details, where they are named. */
  readonly thenRefused: (
    reason: Refusal['reason'],
    told?: Partial<Pick<Refusal, 'message' | 'details'>>,
  ) => Outcome;
  /** The data of the one event of this type that the command led to. */
  readonly event: <T extends CreditAccountEvent['type']>(
    type: T,
  ) => Extract<CreditAccountEvent, { type: T }>['data'];
}

const meta = (at: Date, command?: CreditCommand) => ({
  commandId: command?.commandId ?? 'given',
  commandHash: command?.commandHash ?? 'given',
  occurredAt: at.toISOString(),
});

const step = (account: CreditAccount, rules: AccountRules, prices = book): Step => ({
  when: (command, at = startedAt) => {
    const context: DecisionContext = { at, prices, rules, reservationTtlMs: 720_000 };
    const verdict = decide(command, account, context);
    const events: CreditAccountEvent[] = [];
    let next = verdict.type === 'accept' ? verdict.events : [];
    while (next.length > 0) {
      for (const event of next) evolve(account, event, meta(at, command));
      events.push(...next);
      next = followUps(account, context);
    }
    const outcome: Outcome = {
      ...step(account, rules, prices),
      verdict,
      account,
      events,
      then: (...types) => {
        expect(verdict).toMatchObject({ type: 'accept' });
        expect(events.map((event) => event.type)).toEqual(types);
        return outcome;
      },
      thenNothing: () => outcome.then(),
      thenRefused: (reason, told = {}) => {
        expect(verdict).toMatchObject({ type: 'refuse', refusal: { reason, ...told } });
        return outcome;
      },
      event: (type) => {
        const found = events.find((event) => event.type === type);
        if (!found) throw new Error(`no ${type}`);
        return found.data as never;
      },
    };
    return outcome;
  },
});

const fold = (events: readonly CreditAccountEvent[]): CreditAccount => {
  const account = newAccount('acc_1');
  for (const event of events) evolve(account, event, meta(new Date('2026-01-01T00:00:00.000Z')));
  return account;
};

/** Under the default rules; `givenUnder` takes others. */
export const given = (...events: CreditAccountEvent[]): Step => givenUnder({}, ...events);

export const givenUnder = (rules: Partial<AccountRules>, ...events: CreditAccountEvent[]): Step =>
  step(fold(events), { ...defaultRules, ...rules });

/** Under another price book. */
export const givenPriced = (prices: PriceBook, ...events: CreditAccountEvent[]): Step =>
  step(fold(events), defaultRules, prices);

/** An account that was loaded from what was kept of it. */
export const givenLoaded = (account: CreditAccount, prices = book): Step =>
  step(account, defaultRules, prices);

/** Under a price book that has more recorded than `priceBook`. */
export const givenPrices = (
  recorded: readonly PriceBookEvent[],
  rules: Partial<AccountRules>,
  ...events: CreditAccountEvent[]
): Step => {
  const prices = priceBook();
  for (const event of recorded) prices.apply(event);
  return step(fold(events), { ...defaultRules, ...rules }, prices);
};

/** An account of another id, of which nothing is stored yet. */
export const givenAt = (
  accountId: string,
  rules: Partial<AccountRules> = {},
  prices = book,
): Step => step(newAccount(accountId), { ...defaultRules, ...rules }, prices);
