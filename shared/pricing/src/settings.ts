import { tiers } from '@tollkeeper/events';
import { isDecimalString } from '@tollkeeper/kernel';

/** Run-time settings: what admins may change while everything runs. Values are text, as stored and as on the wire. */

export interface SettingDefinition {
  readonly description: string;
  /** What holds where nobody has changed it; an environment variable of a service may say otherwise. */
  readonly standard: string;
  /** What is wrong with a value; undefined when nothing is. */
  readonly fault: (value: string) => string | undefined;
}

const decimalFrom =
  (least: 'zero' | 'above zero') =>
  (value: string): string | undefined => {
    const fits = isDecimalString(value) && !value.startsWith('-');
    if (fits && (least === 'zero' || /[1-9]/.test(value))) return undefined;
    return `must be a decimal ${least === 'zero' ? 'of at least 0' : 'above 0'}`;
  };

const share = (value: string): string | undefined =>
  /^(?:0(?:\.\d{1,6})?|1)$/.test(value) ? undefined : 'must be a share such as 0.25';

const wholeFrom =
  (least: number, most: number) =>
  (value: string): string | undefined =>
    /^\d{1,9}$/.test(value) && Number(value) >= least && Number(value) <= most
      ? undefined
      : `must be a whole number from ${String(least)} to ${String(most)}`;

const oneOf =
  (...values: readonly string[]) =>
  (value: string): string | undefined =>
    values.includes(value) ? undefined : `must be one of ${values.join(', ')}`;

const modelList = (value: string): string | undefined =>
  value === '' || value.split(',').every((name) => /^[^\s,/]+\/[^\s,]+$/.test(name))
    ? undefined
    : 'must be provider/model, separated by commas; empty: by rate';

const marginTargets = tiers.map(
  (tier) =>
    [
      `margin_target_${tier}`,
      {
        description: `The least share of a charge that is to be margin in tier ${tier}.`,
        standard: '0',
        fault: share,
      },
    ] as const,
);

/** By name. Exchange rates, `exchange_rate_<CUR>`, are settings too: US dollars for one unit of the currency. */
export const settingDefinitions: Readonly<Record<string, SettingDefinition>> = {
  default_multiplier: {
    description: 'The markup where no rule is more specific; changing it is a proposal.',
    standard: '1.5',
    fault: decimalFrom('zero'),
  },
  usd_per_credit: {
    description: 'What one credit is worth, in US dollars.',
    standard: '0.01',
    fault: decimalFrom('above zero'),
  },
  credit_decimals: {
    description: 'How many decimals a charge in credits has; it is rounded up to them.',
    standard: '4',
    fault: wholeFrom(0, 12),
  },
  initial_grant_usd: {
    description: 'What the first grant of a personal account is worth, in US dollars.',
    standard: '10',
    fault: decimalFrom('zero'),
  },
  free_tier_models: {
    description: 'Models that the free tier may call, as provider/model,…; empty: by output rate.',
    standard: '',
    fault: modelList,
  },
  free_tier_output_usd_per_million_max: {
    description:
      'The dearest output rate, US dollars per million tokens, that the free tier may call.',
    standard: '5',
    fault: decimalFrom('zero'),
  },
  free_tier_monthly_credits: {
    description: 'The most that a free account is charged in a month of its own, in credits.',
    standard: '2000',
    fault: decimalFrom('zero'),
  },
  default_output_limit: {
    description:
      'Output tokens of a call that names no limit, where the model and the balance allow as many.',
    standard: '8192',
    fault: wholeFrom(1, 1_000_000),
  },
  margin_guard: {
    description:
      'What becomes of a quote that would charge less than the vendor bills: refuse, or flag.',
    standard: 'refuse',
    fault: oneOf('refuse', 'flag'),
  },
  auto_approve_change_max: {
    description:
      'The greatest change of a multiplier, as a share of it, that needs no second person; 0: each does.',
    standard: '0',
    fault: share,
  },
  auto_apply_change_max: {
    description:
      'The greatest change of an imported rate, as a share of it, that is published without a person; 0: none.',
    standard: '0',
    fault: share,
  },
  ...Object.fromEntries(marginTargets),
};

const exchangeRate: SettingDefinition = {
  description: 'US dollars for one unit of the currency.',
  standard: '',
  fault: decimalFrom('above zero'),
};

export const exchangeRateSetting = (currency: string): string => `exchange_rate_${currency}`;

/** Undefined for a name that no setting has. */
export const settingDefinition = (name: string): SettingDefinition | undefined =>
  Object.hasOwn(settingDefinitions, name)
    ? settingDefinitions[name]
    : /^exchange_rate_[A-Z]{3,4}$/.test(name)
      ? exchangeRate
      : undefined;
