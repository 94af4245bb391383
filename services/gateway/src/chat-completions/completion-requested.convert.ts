import type { CompletionRequested } from '@tollkeeper/contracts';
import { boundInput, type InputBound } from '../bounds/input-bound.js';
import type { TextCounter } from '../bounds/text-counter.js';
import { tokenRuleOf } from '../bounds/token-rules.js';
import type { Caller } from '../identity/api-key.store.js';
import type { Candidate } from '../models/catalogue.js';
import type { ChatCall } from './chat-call.convert.js';

export interface CallBound extends InputBound {
  /** The limit of each choice that is asked for. */
  readonly outputTokens: number;
  readonly choices: number;
  readonly mayShrink: boolean;
}

/** Of a chain of models, the one that counts the most. @throws HttpRefusal `unbounded` */
export const boundCall = (
  call: ChatCall,
  route: readonly Candidate[],
  counter: TextCounter,
  defaultOutputTokens: number,
): CallBound => {
  let inputTokens = 0;
  let likelyTokens = 0;
  let outputTokens = call.outputLimit?.tokens ?? defaultOutputTokens;
  for (const candidate of route) {
    const rule = tokenRuleOf(candidate.provider, candidate.model);
    const bound = boundInput(call.body, rule, counter);
    inputTokens = Math.max(inputTokens, bound.inputTokens);
    likelyTokens = Math.max(likelyTokens, bound.likelyTokens);
    if (call.outputLimit) continue;
    const modelsMost = candidate.outputTokensMax ?? candidate.contextTokensMax;
    if (modelsMost !== undefined) outputTokens = Math.min(outputTokens, modelsMost);
  }
  return {
    inputTokens,
    likelyTokens,
    outputTokens,
    choices: call.choices,
    mayShrink: call.outputLimit === undefined || call.shrinkAllowed,
  };
};

export interface Timing {
  readonly reservationId: string;
  readonly nowMs: number;
  readonly deadlineMs: number;
}

/** Of the first candidate that has one: a chain across regions is bounded by it, and by the rates of anywhere. */
const regionOf = (route: readonly Candidate[]): string | undefined =>
  route.find(({ vendor }) => vendor.config.region !== undefined)?.vendor.config.region;

export const toCompletionRequested = (
  call: ChatCall,
  caller: Caller,
  route: readonly Candidate[],
  bound: CallBound,
  timing: Timing,
): CompletionRequested => {
  const region = regionOf(route);
  return {
    commandId: timing.reservationId,
    ...(call.correlationId === undefined ? {} : { correlationId: call.correlationId }),
    deadlineAt: new Date(timing.deadlineMs).toISOString(),
    userId: caller.userId,
    keyId: caller.keyId,
    ...call.purpose,
    candidates: route.map(({ provider, model }) => ({ provider, model })),
    bounds: {
      inputTokens: bound.inputTokens,
      outputTokens: bound.outputTokens,
      choices: bound.choices,
      ...(call.serviceTier === undefined ? {} : { serviceTier: call.serviceTier }),
      ...(region === undefined ? {} : { region }),
      outputMayShrink: bound.mayShrink,
    },
    requestStartedAt: new Date(timing.nowMs).toISOString(),
  };
};
