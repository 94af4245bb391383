import { describe, expect, test } from 'vitest';
import { creditTermsEvent, defaultCreditTerms } from '@tollkeeper/pricing';
import { afterNoon, contextOf, recorded, storyOf } from '../price-book/decision.fixture.js';
import { changeSetting, recordedAs } from './change.js';
import { evolveSetting, inForceAt, noSetting, type Setting } from './state.js';

const change = (key: string, value: string, effectiveFrom?: string) => (state: Setting) =>
  changeSetting(state, { key, value, reason: 'why', effectiveFrom }, contextOf('root'));

const policy = storyOf(
  evolveSetting,
  noSetting,
  recorded(creditTermsEvent('credit-policy@1', defaultCreditTerms)),
);

describe('a setting', () => {
  test('holds from the lead time on', () => {
    const { events } = storyOf(evolveSetting, noSetting).when(
      'root',
      change('initial_grant_usd', '25'),
    );
    expect(events).toEqual([
      {
        type: 'SettingChanged',
        data: {
          name: 'initial_grant_usd',
          value: '25',
          effectiveFrom: afterNoon(60),
          reason: 'why',
        },
      },
    ]);
  });

  test.each([
    ['unknown-setting', 'favourite_colour', 'blue'],
    ['unknown-setting', 'constructor', 'x'],
    ['unknown-setting', 'exchange_rate_euro', '1.1'],
    ['invalid-request', 'initial_grant_usd', '-1'],
    ['invalid-request', 'margin_guard', 'perhaps'],
    ['invalid-request', 'usd_per_credit', '0'],
    ['invalid-request', 'credit_decimals', '13'],
    ['invalid-request', 'default_output_limit', '0'],
    ['invalid-request', 'exchange_rate_EUR', '0'],
    ['invalid-request', 'auto_approve_change_max', '1.1'],
  ])('is refused as %s: %s = %s', (refusal, key, value) => {
    expect(storyOf(evolveSetting, noSetting).when('root', change(key, value)).refusal).toBe(
      refusal,
    );
  });
});

describe('the credit policy', () => {
  const at = (seconds: number): Date => new Date(afterNoon(seconds));
  const termsAt = (state: Setting, seconds: number): unknown => {
    const { usdPerCredit, decimals } = inForceAt(state.policies, at(seconds)) ?? {};
    return [usdPerCredit, decimals];
  };

  test('is changed a field at a time, in a stream of its own', () => {
    expect(recordedAs('usd_per_credit')).toBe('credit-policy');
    expect(recordedAs('credit_decimals')).toBe('credit-policy');
    expect(policy.when('root', change('usd_per_credit', '1')).events).toEqual([
      {
        type: 'CreditPolicySet',
        data: {
          policyId: 'credit-policy@2',
          usdPerCredit: '1',
          decimals: 4,
          rounding: 'ceil',
          effectiveFrom: afterNoon(60),
          reason: 'why',
        },
      },
    ]);
  });

  test('keeps what was changed before', () => {
    const both = policy
      .when('root', change('usd_per_credit', '1'))
      .and.when('root', change('credit_decimals', '6')).and;
    expect(termsAt(both.state, 59)).toEqual(['0.01', 4]);
    expect(termsAt(both.state, 60)).toEqual(['1', 6]);
  });

  test('keeps a change that is to come, and takes an earlier one into it', () => {
    const { state } = policy
      .when('root', change('credit_decimals', '6', afterNoon(1000)))
      .and.when('root', change('usd_per_credit', '1', afterNoon(500))).and;
    expect(termsAt(state, 499)).toEqual(['0.01', 4]);
    expect(termsAt(state, 500)).toEqual(['1', 4]);
    expect(termsAt(state, 1000)).toEqual(['1', 6]);
  });

  test('leaves a later change of the same field alone', () => {
    const { state } = policy
      .when('root', change('usd_per_credit', '2', afterNoon(1000)))
      .and.when('root', change('usd_per_credit', '1', afterNoon(500))).and;
    expect(termsAt(state, 500)).toEqual(['1', 4]);
    expect(termsAt(state, 1000)).toEqual(['2', 4]);
  });
});
