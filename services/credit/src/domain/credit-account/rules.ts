import { Money } from '@tollkeeper/kernel';

/** What becomes of usage that the vendor billed beyond its reservation. */
export const excessPolicies = ['charge-available-then-debt', 'deny-excess', 'allow'] as const;
export type ExcessPolicy = (typeof excessPolicies)[number];

/** What the operator decides for all accounts. */
export interface AccountRules {
  readonly excessPolicy: ExcessPolicy;
  /** Worth of the grant that a personal account opens with. */
  readonly initialGrantUsd: Money;
  /** Whether a reserve on a personal account that nobody opened opens it. */
  readonly openOnReserve: boolean;
  readonly freeTier: FreeTierRules;
  /** Life of the grant that makes up for a refund whose source has expired. */
  readonly refundGrantDays: number;
}

export interface FreeTierRules {
  /** Models that the free tier may call, as `provider/model`; undefined: those that cost no more than the rate below. */
  readonly models: ReadonlySet<string> | undefined;
  /** The dearest output rate, US dollars per million tokens, of a model that the free tier may call. */
  readonly outputUsdPerMillionMax: Money;
  /** The most that a free account is charged in one month of its own. */
  readonly monthlyBudgetCredits: Money;
}

export const defaultRules: AccountRules = {
  excessPolicy: 'charge-available-then-debt',
  initialGrantUsd: new Money(10),
  openOnReserve: false,
  freeTier: {
    models: undefined,
    outputUsdPerMillionMax: new Money(5),
    monthlyBudgetCredits: new Money(2000),
  },
  refundGrantDays: 30,
};
