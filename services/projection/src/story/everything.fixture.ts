import { AccountStory } from './account-story.fixture.js';

/** For specs: three accounts that between them go through everything that a credit account can. */
export const everything = (): AccountStory[] => [
  new AccountStory('acc_calls')
    .opened('pro')
    .granted('100', { kind: 'initial' })
    .granted('50', { kind: 'purchase', externalReference: 'invoice-7' })
    .reserved('r1', '40', { projectId: 'p1', keyId: 'k1', context: { ticket: '12' } })
    .reserved('r2', '5', { taskType: 'chat' })
    .settled('r1', { input: 1000, output: 500, cacheRead: 200 })
    .released('r2', 'cancelled')
    .reserved('r3', '5')
    .released('r3', 'expired')
    .settledLate('r3', { input: 10_000, output: 10, provenance: 'estimated' })
    .corrected('r3', { input: 12_000, output: 10 })
    .reserved('r4', '3')
    .settled('r4', { input: 100, output: 100, provenance: 'vendor-reported' })
    .corrected('r4', { input: 100, output: 50 })
    .reserved('r5', '7'),
  new AccountStory('acc_debt')
    .opened('free')
    .granted('2', { kind: 'promotion' })
    .reserved('r1', '2')
    .settled('r1', '5')
    .granted('10', { kind: 'refund' })
    .reserved('r2', '4')
    .settled('r2', '4.5')
    .granted('1', { kind: 'adjustment' }),
  new AccountStory('acc_lapse')
    .opened('enterprise')
    .granted('20', { kind: 'subscription', expiresAt: '2026-11-20T10:00:30.000Z' })
    .reserved('r1', '12')
    .reserved('r2', '3')
    .later(60_000)
    .settled('r1', '2')
    .released('r2')
    .later(86_400_000)
    .granted('1')
    .reserved('r3', '1', { userId: 'someone_else' }),
];
