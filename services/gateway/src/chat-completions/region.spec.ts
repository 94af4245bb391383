import { describe, expect, it } from 'vitest';
import type { TextCounter } from '../bounds/text-counter.js';
import type { Candidate } from '../models/catalogue.js';
import type { Vendor } from '../vendors/vendor.js';
import type { Answer } from './answer.js';
import type { ChatCall } from './chat-call.convert.js';
import { toCompletionRequested } from './completion-requested.convert.js';
import { judge } from './outcome.js';

const candidate = (provider: string, region: string | undefined): Candidate => ({
  provider,
  model: 'gpt-4o',
  upstreamModel: 'gpt-4o',
  vendor: { config: { region } } as Vendor,
  contextTokensMax: undefined,
  outputTokensMax: undefined,
  effectiveFrom: '2026-01-01T00:00:00.000Z',
});

const call = { purpose: {}, serviceTier: undefined } as ChatCall;
const caller = { keyId: 'key1', accountId: 'acc1', userId: 'usr1', projectId: undefined };
const bound = { inputTokens: 10, likelyTokens: 9, outputTokens: 5, choices: 1, mayShrink: false };
const timing = { reservationId: 'r1', nowMs: 0, deadlineMs: 5_000 };

const boundsOf = (...regions: (string | undefined)[]) => {
  const route = regions.map((region, place) => candidate(`p${String(place)}`, region));
  return toCompletionRequested(call, caller, route, bound, timing).bounds;
};

describe('the region of a vendor', () => {
  it('is in the bounds that are reserved', () => {
    expect(boundsOf('eu')).toMatchObject({ region: 'eu' });
    expect(boundsOf(undefined, 'us', 'eu')).toMatchObject({ region: 'us' });
    expect(boundsOf(undefined)).not.toHaveProperty('region');
  });

  it('is in the attempt that is settled', () => {
    const answer = { relay: undefined, wholeText: '', requestId: undefined } as Answer;
    const attemptIn = (region: string | undefined) =>
      judge({ kind: 'unreached', cause: 'down' }, answer, {
        candidate: candidate('azure', region),
        bound,
        outputTokens: 5,
        counter: {} as TextCounter,
      }).attempt;
    expect(attemptIn('eu')).toMatchObject({ region: 'eu' });
    expect(attemptIn(undefined)).not.toHaveProperty('region');
  });
});
