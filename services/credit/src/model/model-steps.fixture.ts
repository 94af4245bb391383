import {
  type ModelAttempt,
  type ModelBodies,
  type ModelCommand,
  type ModelExpiry,
} from '@tollkeeper/testing';
import fc from 'fast-check';

/** One step of a random life of an account; `back` counts the commands before this one. */
export type Step =
  | { readonly type: 'send'; readonly commands: readonly Draft[] }
  | { readonly type: 'crash'; readonly command: Draft; readonly when: 'before' | 'after' }
  | { readonly type: 'again'; readonly back: number; readonly otherBody: boolean }
  | { readonly type: 'restart' }
  /** The account leaves memory, as an idle one does. */
  | { readonly type: 'forget' }
  | { readonly type: 'clock'; readonly byMs: number };

export interface RandomLife {
  /** Keeps two closed reservations at the most, loads from snapshots, and takes one command at a time. */
  readonly isForgetful: boolean;
  readonly steps: readonly Step[];
}

/** A command whose times still count from the moment that it is sent. */
export type Draft = { [V in StepVerb]: DraftOf<V> }[StepVerb];
/** The service's own commands are sent at random like all others: its list of what is due is a hint. */
export type StepCommand = ModelCommand | ModelExpiry;
export type StepVerb = StepCommand['verb'];
type DraftOf<V extends StepVerb> = V extends 'grant'
  ? {
      readonly verb: 'grant';
      readonly id: string;
      readonly amountCredits: string;
      readonly priority: number | undefined;
      readonly effectiveInMs: number | undefined;
      readonly expiresInMs: number | undefined;
    }
  : Extract<StepCommand, { readonly verb: V }>;

/** A new command of the service is one more entry here, one in the model. */
type Arbitraries = { readonly [V in StepVerb]: fc.Arbitrary<DraftOf<V>> };

const hourMs = 3_600_000;

const units = fc.oneof(
  { weight: 3, arbitrary: fc.integer({ min: 1, max: 80_000 }) },
  { weight: 2, arbitrary: fc.constantFrom(5_250, 10_000, 50_000, 100_000, 1) },
);
const amount = units.map((some) => (some / 10_000).toFixed(4).replace(/\.?0+$/, ''));
/** Now and then finer than credits are. */
const wishedAmount = fc.oneof(
  { weight: 30, arbitrary: amount },
  { weight: 1, arbitrary: fc.constant('0.00001') },
);
const few = (prefix: string, count: number): fc.Arbitrary<string> =>
  fc.integer({ min: 0, max: count - 1 }).map((n) => `${prefix}${String(n)}`);
const reservationId = few('r', 7);

const dear = { provider: 'openai', model: 'gpt-4o' };
const cheap = { provider: 'openai', model: 'gpt-4o-mini' };
const unpriced = { provider: 'openai', model: 'gpt-none' };
const candidates = fc.oneof(
  { weight: 6, arbitrary: fc.constant([dear]) },
  { weight: 2, arbitrary: fc.constant([cheap, dear]) },
  { weight: 2, arbitrary: fc.constant([dear, cheap]) },
  { weight: 1, arbitrary: fc.constant([dear, unpriced]) },
);
const tokens = fc.integer({ min: 0, max: 4_000 });
const bounds = fc.record({
  inputTokens: tokens,
  outputTokens: fc.integer({ min: 1, max: 3_000 }),
  choices: fc.constantFrom(1, 1, 1, 3),
  outputMayShrink: fc.boolean(),
});

const usage = fc.oneof(
  { weight: 6, arbitrary: fc.record({ input: tokens, output: tokens }) },
  { weight: 2, arbitrary: fc.record({ input: tokens, cache_read: tokens, output: tokens }) },
  { weight: 1, arbitrary: fc.constant({}) },
  { weight: 1, arbitrary: fc.constant({ input: 100, audio_input: 7 }) },
);
const attempt: fc.Arbitrary<ModelAttempt> = fc
  .record({
    called: fc.constantFrom(dear, dear, dear, cheap, unpriced),
    billed: fc.constantFrom(true, true, true, false),
    provenance: fc.constantFrom('exact', 'exact', 'estimated', 'unknown'),
    usage,
  })
  .map(({ called, ...rest }) => ({ ...called, ...rest }));
const attempts = fc.array(attempt, { minLength: 1, maxLength: 2 });

const settleBody: fc.Arbitrary<ModelBodies['settle']> = fc.oneof(
  fc.record({ reservationId, amountCredits: fc.oneof(wishedAmount, fc.constant('0')) }),
  fc.record({ reservationId, attempts }),
);
const keyId = fc.constantFrom('k1', 'k1', 'k2');
const reserveBody: fc.Arbitrary<ModelBodies['reserve']> = fc.oneof(
  fc.record({ amountCredits: wishedAmount, keyId }, { requiredKeys: ['amountCredits'] }),
  fc.record({ candidates, bounds, keyId }, { requiredKeys: ['candidates', 'bounds'] }),
);
const chargeId = few('c', 4);
const grantId = fc.oneof(
  { weight: 8, arbitrary: few('g', 6) },
  { weight: 1, arbitrary: few('a', 4) },
  { weight: 1, arbitrary: fc.constantFrom('f0_1', 'f1_1', 'f2_1') },
);
const reasonCode = fc.constant('goodwill');
const reason = fc.constant('test');

/** Of each key; what a limit is of stays for ever. */
const limits = [
  { limitId: 'l1', scope: { type: 'key', id: 'k1' }, window: 'day', unit: 'credits' },
  { limitId: 'l2', scope: { type: 'key', id: 'k1' }, window: 'month', unit: 'credits' },
  { limitId: 'l3', scope: { type: 'key', id: 'k2' }, window: 'month', unit: 'credits' },
] as const;

/** A settle's and a release's id follow from what they ask, as those of callers with one intent each do. */
const idOf = (verb: string, body: object): string => {
  let hash = 0;
  for (const character of JSON.stringify(body)) {
    hash = (Math.imul(hash, 31) + character.charCodeAt(0)) >>> 0;
  }
  return `${verb}_${hash.toString(36)}`;
};

const arbitraries: Arbitraries = {
  open: fc.constant({
    verb: 'open',
    id: 'open',
    body: { ownerUserId: 'usr_1', tier: 'pro' },
  } as const),
  grant: fc.record({
    verb: fc.constant('grant' as const),
    id: few('g', 6),
    amountCredits: amount,
    priority: fc.constantFrom(undefined, undefined, 50, 100, 150),
    effectiveInMs: fc.constantFrom(undefined, undefined, undefined, 60_000, hourMs, -hourMs),
    expiresInMs: fc.constantFrom(undefined, undefined, 90_000, hourMs, 2 * hourMs, -60_000),
  }),
  reserve: fc.record({
    verb: fc.constant('reserve' as const),
    id: reservationId,
    body: reserveBody,
  }),
  charge: fc.record({
    verb: fc.constant('charge' as const),
    id: chargeId,
    body: fc.record({ amountCredits: wishedAmount, keyId }, { requiredKeys: ['amountCredits'] }),
  }),
  settle: settleBody.map((body) => ({ verb: 'settle' as const, id: idOf('settle', body), body })),
  release: fc
    .record({
      reservationId,
      reason: fc.constantFrom('failed' as const, 'cancelled' as const, 'expired' as const),
    })
    .map((body) => ({ verb: 'release' as const, id: idOf('release', body), body })),
  correct: fc.record({
    verb: fc.constant('correct' as const),
    id: few('u', 4),
    body: fc.record({ reservationId, attempts }),
  }),
  refund: fc.record({
    verb: fc.constant('refund' as const),
    id: few('f', 5),
    body: fc.record(
      {
        reservationId: fc.oneof({ weight: 3, arbitrary: reservationId }, chargeId),
        amountCredits: amount,
        reasonCode,
      },
      { requiredKeys: ['reservationId', 'reasonCode'] },
    ),
  }),
  adjust: fc.record({
    verb: fc.constant('adjust' as const),
    id: few('a', 6),
    body: fc.record({
      amountCredits: fc
        .tuple(fc.constantFrom('', '-', '-'), amount)
        .map(([sign, some]) => sign + some),
      reasonCode,
      bookDebt: fc.boolean(),
    }),
  }),
  void: fc.record({
    verb: fc.constant('void' as const),
    id: few('v', 5),
    body: fc.record({ grantId, reasonCode }),
  }),
  tier: fc.record({
    verb: fc.constant('tier' as const),
    id: few('t', 6),
    body: fc.record({
      tier: fc.constantFrom('pro' as const, 'pro' as const, 'free' as const, 'enterprise' as const),
      reason,
    }),
  }),
  freeze: fc.record({
    verb: fc.constant('freeze' as const),
    id: few('z', 4),
    body: fc.record({ reason }),
  }),
  unfreeze: fc.record({
    verb: fc.constant('unfreeze' as const),
    id: few('y', 8),
    body: fc.record({ reason }),
  }),
  setLimit: fc.record({
    verb: fc.constant('setLimit' as const),
    id: few('l', 5),
    body: fc
      .tuple(fc.constantFrom(...limits), amount)
      .map(([limit, some]) => ({ ...limit, amount: some })),
  }),
  removeLimit: fc.record({
    verb: fc.constant('removeLimit' as const),
    id: few('m', 5),
    body: fc.record({ limitId: fc.constantFrom('l1', 'l2', 'l3') }),
  }),
  expireGrant: fc.record({
    verb: fc.constant('expireGrant' as const),
    id: few('e', 1_000),
    body: fc.record({ grantId }),
  }),
};

const weights: Readonly<Record<StepVerb, number>> = {
  open: 2,
  grant: 12,
  reserve: 28,
  charge: 6,
  settle: 24,
  release: 12,
  correct: 8,
  refund: 10,
  adjust: 6,
  void: 2,
  tier: 2,
  freeze: 1,
  unfreeze: 2,
  setLimit: 3,
  removeLimit: 1,
  expireGrant: 6,
};

const draft: fc.Arbitrary<Draft> = fc.oneof(
  ...(Object.keys(weights) as StepVerb[]).map((verb) => ({
    weight: weights[verb],
    arbitrary: arbitraries[verb] as fc.Arbitrary<Draft>,
  })),
);

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 20,
    arbitrary: draft.map((command) => ({ type: 'send' as const, commands: [command] })),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      type: fc.constant('send' as const),
      commands: fc.array(draft, { minLength: 2, maxLength: 6 }),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      type: fc.constant('crash' as const),
      command: draft,
      when: fc.constantFrom('before' as const, 'after' as const),
    }),
  },
  {
    weight: 5,
    arbitrary: fc.record({
      type: fc.constant('again' as const),
      back: fc.oneof(fc.nat({ max: 4 }), fc.nat({ max: 100 })),
      otherBody: fc.constantFrom(false, false, true),
    }),
  },
  { weight: 1, arbitrary: fc.constant({ type: 'restart' as const }) },
  { weight: 1, arbitrary: fc.constant({ type: 'forget' as const }) },
  {
    weight: 3,
    arbitrary: fc.record({
      type: fc.constant('clock' as const),
      byMs: fc.constantFrom(
        1,
        1_000,
        59_999,
        60_000,
        720_000,
        hourMs,
        24 * hourMs,
        35 * 24 * hourMs,
        -1_000,
        -hourMs,
      ),
    }),
  },
);

/** Most lives begin with an account that has credits; the rest show what becomes of those that have none. */
export const livesUpTo = (maxLength: number): fc.Arbitrary<RandomLife> =>
  fc
    .record({
      isForgetful: fc.boolean(),
      kind: fc.integer({ min: 0, max: 9 }),
      steps: fc.array(step, { maxLength, size: 'max' }),
    })
    .map(({ isForgetful, kind, steps }) => ({
      isForgetful,
      steps: kind === 0 ? steps : [...funded, ...steps],
    }));

const funded: readonly Step[] = [
  {
    type: 'send',
    commands: [{ verb: 'open', id: 'open', body: { ownerUserId: 'usr_1', tier: 'pro' } }],
  },
  {
    type: 'send',
    commands: [
      {
        verb: 'grant',
        id: 'g0',
        amountCredits: '12.5',
        priority: undefined,
        effectiveInMs: undefined,
        expiresInMs: undefined,
      },
    ],
  },
];

const at = (nowMs: number, inMs: number | undefined): string | undefined =>
  inMs === undefined ? undefined : new Date(nowMs + inMs).toISOString();

export const toCommand = (from: Draft, nowMs: number): StepCommand => {
  if (from.verb !== 'grant') return from;
  const { verb, id, amountCredits, priority } = from;
  const effectiveAt = at(nowMs, from.effectiveInMs);
  const expiresAt = at(nowMs, from.expiresInMs);
  return {
    verb,
    id,
    body: {
      amountCredits,
      ...(priority === undefined ? {} : { priority }),
      ...(effectiveAt === undefined ? {} : { effectiveAt }),
      ...(expiresAt === undefined ? {} : { expiresAt }),
    },
  };
};

/** The same id with something else asked under it. */
export const withOtherBody = (command: StepCommand): StepCommand => {
  switch (command.verb) {
    case 'grant':
    case 'charge':
      return {
        ...command,
        body: {
          ...command.body,
          amountCredits: `${command.body.amountCredits.split('.')[0] ?? ''}.7771`,
        },
      };
    case 'reserve':
      return { ...command, body: { amountCredits: '0.7771' } };
    case 'correct':
      return {
        ...command,
        body: { ...command.body, attempts: [{ ...dear, usage: { input: 7_771, output: 1 } }] },
      };
    case 'settle':
      return { ...command, body: { ...command.body, amountCredits: '0.7771' } };
    case 'open':
      return { ...command, body: { ...command.body, ownerUserId: 'usr_2' } };
    case 'refund':
      return { ...command, body: { ...command.body, amountCredits: '0.7771' } };
    case 'adjust':
      return { ...command, body: { ...command.body, amountCredits: '-0.7771' } };
    case 'void':
      return { ...command, body: { ...command.body, reasonCode: 'chargeback' } };
    case 'tier':
      return { ...command, body: { ...command.body, reason: 'another' } };
    case 'freeze':
    case 'unfreeze':
      return { ...command, body: { ...command.body, reason: 'another' } };
    case 'setLimit':
      return { ...command, body: { ...command.body, amount: '7.7771' } };
    case 'removeLimit':
      return { ...command, body: { limitId: `${command.body.limitId}x` } };
    case 'release':
    case 'expireGrant':
      return command;
  }
};
