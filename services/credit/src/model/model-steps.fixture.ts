import {
  modelZones,
  type ModelAttempt,
  type ModelBodies,
  type ModelCommand,
  type ModelDueCommand,
  type ModelMode,
  type ModelRules,
  type ModelZone,
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

/** What an account's life stands under from its first day. */
export interface LifeSetting extends Pick<ModelRules, 'excessPolicy' | 'openOnReserve'> {
  /** The second is the personal account of the user `usr_1`. */
  readonly accountId: 'acc_1' | 'personal_usr_1';
  /** How long after the start credits begin to be charged in hundredths alone; undefined: never. */
  readonly coarseInMs: number | undefined;
}

export interface RandomLife {
  readonly setting: LifeSetting;
  /** Keeps two closed reservations at the most, loads from snapshots, and takes one command at a time. */
  readonly isForgetful: boolean;
  readonly steps: readonly Step[];
}

/** A command whose times still count from the moment that it is sent; `borrowedId` is of another command, as confused callers send it. */
export type Draft = { [V in StepVerb]: DraftOf<V> }[StepVerb] & {
  readonly borrowedId?: string | undefined;
};
/** The service's own commands are sent at random like all others: its list of what is due is a hint. */
export type StepCommand = ModelCommand | ModelDueCommand;
export type StepVerb = StepCommand['verb'];
type DraftOf<V extends StepVerb> = V extends 'grant'
  ? {
      readonly verb: 'grant';
      readonly id: string;
      readonly amountCredits: string;
      readonly priority: number | undefined;
      readonly effectiveInMs: number | undefined;
      readonly expiresInMs: number | undefined;
      readonly topUpId?: string | undefined;
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
const bounds = fc.oneof(
  {
    weight: 20,
    arbitrary: fc.record({
      inputTokens: tokens,
      outputTokens: fc.integer({ min: 1, max: 3_000 }),
      choices: fc.constantFrom(1, 1, 1, 3),
      outputMayShrink: fc.boolean(),
    }),
  },
  // A call that costs nothing: debt alone can stop it.
  {
    weight: 1,
    arbitrary: fc.constant({ inputTokens: 0, outputTokens: 0, choices: 1, outputMayShrink: false }),
  },
);

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
/** Few, so that a re-rating often is of what is charged. */
const usedOften: readonly (readonly ModelAttempt[])[] = [
  [{ ...dear, usage: { input: 1_000, output: 100 } }],
  [{ ...dear, usage: { input: 3_000, output: 2_100 } }],
  [{ ...cheap, usage: { input: 1_000, output: 100 } }],
  [
    { ...dear, billed: false },
    { ...cheap, usage: { input: 1_000, output: 100 } },
  ],
  [
    { ...dear, usage: { input: 500, output: 100 } },
    { ...cheap, usage: { input: 1_000, output: 100 } },
  ],
  [{ ...dear, provenance: 'unknown', usage: {} }],
];
const attempts: fc.Arbitrary<readonly ModelAttempt[]> = fc.oneof(
  fc.array(attempt, { minLength: 1, maxLength: 2 }),
  fc.constantFrom(...usedOften),
);
const timeZone = fc.constantFrom<ModelZone>(...modelZones);

const settleBody: fc.Arbitrary<ModelBodies['settle']> = fc.oneof(
  fc.record({ reservationId, amountCredits: fc.oneof(wishedAmount, fc.constant('0')) }),
  fc.record({ reservationId, attempts }),
);
/** Whose a spending is. */
const purpose = {
  keyId: fc.constantFrom('k1', 'k1', 'k2'),
  userId: fc.constantFrom('usr_1', 'usr_1', 'usr_2'),
  projectId: fc.constant('p1'),
};
const reserveBody: fc.Arbitrary<ModelBodies['reserve']> = fc.oneof(
  fc.record({ amountCredits: wishedAmount, ...purpose }, { requiredKeys: ['amountCredits'] }),
  fc.record({ candidates, bounds, ...purpose }, { requiredKeys: ['candidates', 'bounds'] }),
);
const chargeId = few('c', 4);
const grantId = fc.oneof(
  { weight: 8, arbitrary: few('g', 6) },
  { weight: 1, arbitrary: few('a', 4) },
  { weight: 1, arbitrary: fc.constantFrom('f0_1', 'f1_1', 'f2_1') },
  { weight: 1, arbitrary: fc.constantFrom('m1_2026-03', 'm1_2026-04', 'm2_2026-04', 'initial') },
);
const recurringId = fc.constantFrom('m1', 'm1', 'm2');
const reasonCode = fc.constant('goodwill');
const reason = fc.constant('test');

/** What a limit is of stays for ever; now and then somebody wants it to be of something else. */
const limits = [
  { limitId: 'l1', scope: { type: 'key', id: 'k1' }, window: 'day', unit: 'credits' },
  { limitId: 'l2', scope: { type: 'key', id: 'k1' }, window: 'month', unit: 'credits' },
  { limitId: 'l3', scope: { type: 'user', id: 'usr_1' }, window: 'hour', unit: 'usd' },
  { limitId: 'l4', scope: { type: 'account' }, window: 'total', unit: 'tokens' },
  { limitId: 'l5', scope: { type: 'project', id: 'p1' }, window: 'minute', unit: 'requests' },
  { limitId: 'l6', scope: { type: 'account' }, window: 'minute', unit: 'tokens' },
  { limitId: 'l7', scope: { type: 'account' }, window: 'minute', unit: 'requests' },
  { limitId: 'l7', scope: { type: 'account' }, window: 'hour', unit: 'requests' },
] as const;
const limitAmounts = {
  credits: amount,
  usd: fc.integer({ min: 0, max: 800 }).map((some) => String(some / 10_000)),
  tokens: fc.integer({ min: 0, max: 12_000 }).map(String),
  requests: fc.oneof(fc.integer({ min: 0, max: 5 }).map(String), fc.constant('1.5')),
};
const rateOften = fc.constantFrom<ModelMode>('hard', 'soft', 'rate', 'rate');
const mode = fc.constantFrom<ModelMode>('hard', 'hard', 'soft', 'soft', 'rate');
const limitBody: fc.Arbitrary<ModelBodies['setLimit']> = fc
  .constantFrom(...limits)
  .chain((limit) =>
    fc
      .record(
        { amount: limitAmounts[limit.unit], mode: limit.window === 'minute' ? rateOften : mode },
        { requiredKeys: ['amount'] },
      )
      .map((more) => ({ ...limit, ...more })),
  );

/** A settle's and a release's id follow from what they ask, as those of callers with one intent each do. */
const idOf = (verb: string, body: object): string => {
  let hash = 0;
  for (const character of JSON.stringify(body)) {
    hash = (Math.imul(hash, 31) + character.charCodeAt(0)) >>> 0;
  }
  return `${verb}_${hash.toString(36)}`;
};

const arbitraries: Arbitraries = {
  open: fc.record({
    verb: fc.constant('open' as const),
    id: fc.constant('open'),
    body: fc.oneof(
      { weight: 4, arbitrary: fc.constant({ ownerUserId: 'usr_1', tier: 'pro' as const }) },
      {
        weight: 1,
        arbitrary: fc.record(
          {
            ownerUserId: fc.constantFrom('usr_1', 'usr_2'),
            tier: fc.constantFrom('pro' as const, 'free' as const),
            kind: fc.constantFrom('personal' as const, 'organization' as const),
            timeZone,
          },
          { requiredKeys: ['ownerUserId', 'tier'] },
        ),
      },
    ),
  }),
  grant: fc.record({
    verb: fc.constant('grant' as const),
    id: fc.oneof(
      { weight: 20, arbitrary: few('g', 6) },
      { weight: 1, arbitrary: fc.constantFrom('m1_2026-04', 'm2_2026-04', 'initial') },
    ),
    amountCredits: amount,
    priority: fc.constantFrom(undefined, undefined, 50, 100, 150),
    effectiveInMs: fc.constantFrom(undefined, undefined, undefined, 60_000, hourMs, -hourMs),
    expiresInMs: fc.constantFrom(undefined, undefined, 90_000, hourMs, 2 * hourMs, -60_000),
    topUpId: fc.constantFrom(undefined, undefined, undefined, undefined, 'topup_1', 'topup_2'),
  }),
  reserve: fc.record({
    verb: fc.constant('reserve' as const),
    id: reservationId,
    body: reserveBody,
  }),
  charge: fc.record({
    verb: fc.constant('charge' as const),
    id: chargeId,
    body: fc.record(
      { amountCredits: wishedAmount, ...purpose },
      { requiredKeys: ['amountCredits'] },
    ),
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
  rerate: fc.record({
    verb: fc.constant('rerate' as const),
    id: few('k', 6),
    body: fc.record({
      reservationId,
      priceVersion: fc.constantFrom(
        'openai:gpt-4o@2',
        'openai:gpt-4o@2',
        'openai:gpt-4o@1',
        'openai:gpt-4o-mini@1',
        'openai:gpt-none@1',
      ),
      attempts: fc.constantFrom(...usedOften),
      reason: fc.constant('invoice'),
    }),
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
    id: few('l', 9),
    body: limitBody,
  }),
  removeLimit: fc.record({
    verb: fc.constant('removeLimit' as const),
    id: few('m', 5),
    body: fc.record({ limitId: few('l', 8) }),
  }),
  expireGrant: fc.record({
    verb: fc.constant('expireGrant' as const),
    id: few('e', 1_000),
    body: fc.record({ grantId }),
  }),
  recur: fc.record({
    verb: fc.constant('recur' as const),
    id: few('q', 5),
    body: fc.record(
      {
        recurringId,
        amountCredits: fc.oneof({ weight: 6, arbitrary: amount }, fc.constant('0')),
        priority: fc.constantFrom(50, 150),
        // Clocks change on the eighth of March, and on the fifth of April.
        dayOfMonth: fc.constantFrom(1, 2, 5, 8, 9, 28),
        rolloverCapCredits: fc.constantFrom('0', '1', '3'),
      },
      { requiredKeys: ['recurringId', 'amountCredits'] },
    ),
  }),
  postRecurring: fc.record({
    verb: fc.constant('postRecurring' as const),
    id: few('p', 1_000),
    body: fc.record({ recurringId }),
  }),
  alerts: fc.record({
    verb: fc.constant('alerts' as const),
    id: few('w', 4),
    body: fc.record({
      thresholdsCredits: fc.array(fc.constantFrom('0.5', '2', '5', '5', '10'), { maxLength: 4 }),
    }),
  }),
  topUpRule: fc.record({
    verb: fc.constant('topUpRule' as const),
    id: few('x', 4),
    body: fc.record({
      thresholdCredits: fc.constantFrom('1', '5', '12'),
      amountCredits: fc.constantFrom('2', '5'),
      coolDownSeconds: fc.constantFrom(0, 60, 3_600),
      monthlyCapCredits: fc.constantFrom('1', '6', '10'),
      enabled: fc.constantFrom(true, true, true, false),
    }),
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
  rerate: 8,
  refund: 10,
  adjust: 6,
  void: 2,
  tier: 2,
  freeze: 1,
  unfreeze: 2,
  setLimit: 5,
  removeLimit: 1,
  expireGrant: 6,
  recur: 3,
  postRecurring: 5,
  alerts: 2,
  topUpRule: 2,
};

const sureDraft: fc.Arbitrary<Draft> = fc.oneof(
  ...(Object.keys(weights) as StepVerb[]).map((verb) => ({
    weight: weights[verb],
    arbitrary: arbitraries[verb] as fc.Arbitrary<Draft>,
  })),
);

/** Nobody but the service sends these. */
const isOfCallers = ({ verb }: Draft): boolean =>
  verb !== 'open' && verb !== 'expireGrant' && verb !== 'postRecurring';

const otherId = fc.oneof(
  few('s', 3),
  reservationId,
  few('g', 2),
  few('f', 2),
  few('l', 2),
  few('k', 2),
  fc.constantFrom('f0_1', 'a0', 'c0', 'm1_2026-04', 'initial'),
);

/** Under the ids of other commands now and then, as confused callers send them. */
const confused = (draft: Draft): fc.Arbitrary<Draft> =>
  isOfCallers(draft)
    ? fc.oneof(
        { weight: 14, arbitrary: fc.constant(draft) },
        { weight: 1, arbitrary: otherId.map((borrowedId) => ({ ...draft, borrowedId })) },
      )
    : fc.constant(draft);

const draft = sureDraft.chain(confused);

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
        31_000,
        59_999,
        60_000,
        720_000,
        hourMs,
        7 * hourMs,
        24 * hourMs,
        20 * 24 * hourMs,
        35 * 24 * hourMs,
        -1_000,
        -hourMs,
      ),
    }),
  },
);

/** Weeks go by, and what has become due is posted. */
const weeks: fc.Arbitrary<readonly Step[]> = fc
  .tuple(fc.constantFrom(20, 35), arbitraries.postRecurring)
  .map(([days, command]) => [
    { type: 'clock', byMs: days * 24 * hourMs },
    { type: 'send', commands: [command] },
  ]);

/** A call that is charged at one version of its price and the other, by commands of which some come twice. */
const invoices: fc.Arbitrary<readonly Step[]> = fc
  .record({
    reservationId,
    attempts: fc.constantFrom(...usedOften),
    reratings: fc.array(
      fc.record({
        id: few('k', 3),
        priceVersion: fc.constantFrom('openai:gpt-4o@1', 'openai:gpt-4o@2'),
      }),
      { minLength: 3, maxLength: 6 },
    ),
  })
  .map(({ reservationId, attempts, reratings }) => {
    const bounds = { inputTokens: 1_000, outputTokens: 100 };
    const drafts: readonly Draft[] = [
      { verb: 'reserve', id: reservationId, body: { candidates: [dear, cheap], bounds } },
      { verb: 'settle', id: `settle_${reservationId}`, body: { reservationId, attempts } },
      ...reratings.map(({ id, priceVersion }): Draft => {
        const body = { reservationId, priceVersion, attempts, reason: 'invoice' };
        return { verb: 'rerate', id, body };
      }),
    ];
    return drafts.map((draft) => ({ type: 'send', commands: [draft] }));
  });

/** Calls that follow each other within a minute or two, as rates count them. */
const hurry: fc.Arbitrary<readonly Step[]> = fc
  .array(
    fc.record({
      command: arbitraries.reserve,
      byMs: fc.constantFrom(1_000, 31_000, 60_000, 61_000),
    }),
    { minLength: 2, maxLength: 3 },
  )
  .map((calls) =>
    calls.flatMap(({ command, byMs }) => [
      { type: 'send', commands: [command] },
      { type: 'clock', byMs },
    ]),
  );

const steps = (maxLength: number): fc.Arbitrary<readonly Step[]> =>
  fc
    .array(
      fc.oneof(
        { weight: 40, arbitrary: step.map((one) => [one]) },
        { weight: 1, arbitrary: weeks },
        { weight: 1, arbitrary: hurry },
        { weight: 1, arbitrary: invoices },
      ),
      { maxLength, size: 'max' },
    )
    .map((some) => some.flat().slice(0, maxLength));

const setting: fc.Arbitrary<LifeSetting> = fc.record({
  accountId: fc.constantFrom('acc_1' as const, 'personal_usr_1' as const),
  excessPolicy: fc.constantFrom(
    'charge-available-then-debt' as const,
    'charge-available-then-debt' as const,
    'deny-excess' as const,
    'allow' as const,
  ),
  openOnReserve: fc.constantFrom(false, false, true),
  coarseInMs: fc.constantFrom(undefined, undefined, 61_000, 7 * hourMs),
});

/**
 * Under ids that follow from what is asked, as callers with one intent each make them: what an account that forgets knows
 * of other ids depends on what it remembers just then.
 */
export const withOwnIds = (steps: readonly Step[]): readonly Step[] =>
  steps.map((step) => {
    switch (step.type) {
      case 'send':
        return { ...step, commands: step.commands.map(ownId) };
      case 'crash':
        return { ...step, command: ownId(step.command) };
      default:
        return step;
    }
  });

const ownId = ({ borrowedId: _, ...draft }: Draft): Draft => {
  switch (draft.verb) {
    case 'settle':
    case 'release':
      return { ...draft, id: idOf(draft.verb, draft.body) };
    case 'correct':
      return { ...draft, id: `${shortOf(draft.id)}_${draft.body.reservationId}` };
    case 'rerate':
      return { ...draft, id: `${draft.id}_${draft.body.reservationId}` };
    default:
      return draft;
  }
};

/** Of a correction: few enough that some come twice. */
const shortOf = (id: string): string => `u${String(id.length % 4)}${id.slice(-1)}`;

/** Most lives begin with an account that has credits; the rest show what becomes of those that have none. */
export const livesUpTo = (maxLength: number): fc.Arbitrary<RandomLife> =>
  fc
    .record({
      isForgetful: fc.boolean(),
      setting,
      kind: fc.integer({ min: 0, max: 9 }),
      timeZone,
      rules: fc.array(fc.oneof(arbitraries.recur, arbitraries.setLimit), { maxLength: 2 }),
      steps: steps(maxLength),
    })
    .map(({ kind, timeZone, rules, steps, ...life }) => ({
      ...life,
      steps: [
        ...(kind < (life.setting.openOnReserve ? 3 : 1) ? [] : funded(timeZone)),
        ...rules.map((rule) => ({ type: 'send' as const, commands: [rule] })),
        ...(life.isForgetful ? withOwnIds(steps) : steps),
      ],
    }));

const funded = (timeZone: ModelZone): readonly Step[] => [
  {
    type: 'send',
    commands: [{ verb: 'open', id: 'open', body: { ownerUserId: 'usr_1', tier: 'pro', timeZone } }],
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

export const toCommand = ({ borrowedId, ...draft }: Draft, nowMs: number): StepCommand => {
  const from: Draft = { ...draft, id: borrowedId ?? draft.id };
  if (from.verb !== 'grant') return from;
  const { verb, id, amountCredits, priority, topUpId } = from;
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
      ...(topUpId === undefined ? {} : { topUpId }),
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
    case 'rerate':
      return { ...command, body: { ...command.body, reason: 'another' } };
    case 'settle': {
      const { reservationId, attempts } = command.body;
      const body = attempts
        ? { reservationId, attempts: [{ ...dear, usage: { input: 7_771, output: 1 } }] }
        : { reservationId, amountCredits: '0.7771' };
      return { ...command, body };
    }
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
    case 'recur':
      return { ...command, body: { ...command.body, amountCredits: '7.7771' } };
    case 'alerts':
      return { ...command, body: { thresholdsCredits: ['7.7771'] } };
    case 'topUpRule':
      return { ...command, body: { ...command.body, thresholdCredits: '7.7771' } };
    case 'release': {
      const reason = command.body.reason === 'failed' ? 'cancelled' : 'failed';
      return { ...command, body: { ...command.body, reason } };
    }
    case 'expireGrant':
    case 'postRecurring':
      return command;
  }
};
