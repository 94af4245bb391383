import type { Attempt } from '@tollkeeper/contracts';
import { readOpenAiChatUsage } from '@tollkeeper/usage';
import type { TextCounter } from '../bounds/text-counter.js';
import type { RefusalFields } from '../http/http-refusal.js';
import type { Candidate } from '../models/catalogue.js';
import type { SseSummary } from '../usage/sse-relay.js';
import type { UpstreamEnd } from '../vendors/upstream-call.js';
import type { Answer } from './answer.js';
import type { CallBound } from './completion-requested.convert.js';
import { failureOf, leavesBillingOpen, toRefusal } from './upstream-failure.convert.js';

/** One call of one vendor, over. */
export interface Outcome {
  readonly attempt: Attempt;
  /** Surely not billed: the next candidate may be tried, or the reservation released. */
  readonly unbilled: boolean;
  /** What the client is told in place of (the rest of) an answer. */
  readonly failure: RefusalFields | undefined;
  /** A whole answer as the vendor sent it. */
  readonly body: Record<string, unknown> | undefined;
  /** The vendor's figures contradict each other, or could not be believed. */
  readonly suspicious: boolean;
}

export interface Judgement {
  readonly candidate: Candidate;
  readonly bound: CallBound;
  /** The limit of each choice that was reserved. */
  readonly outputTokens: number;
  readonly counter: TextCounter;
}

type Metered = Pick<Attempt, 'provenance' | 'usage'> & { readonly suspicious: boolean };

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** A vendor's text is foreign, and a cut may leave half a character: what no store holds is left out. */
const clip = (text: unknown, max: number): string | undefined => {
  if (typeof text !== 'string') return undefined;
  const clipped = text.slice(0, max).replace(/[\0\p{Cs}]/gu, '');
  return clipped === '' ? undefined : clipped;
};

/** Nothing is known but that the request went out: the most that it can have cost. */
const unknownUsage = ({ bound, outputTokens }: Judgement): Metered => ({
  provenance: 'unknown',
  usage: { input: bound.inputTokens, output: outputTokens * bound.choices },
  suspicious: false,
});

/** Never zero: the vendor read the input, whatever came of it. */
const estimated = (judgement: Judgement, outputTokens: number): Metered => {
  const { bound } = judgement;
  const most = judgement.outputTokens * bound.choices;
  const usage: Attempt['usage'] = {
    input: Math.min(bound.likelyTokens, bound.inputTokens),
    output: Math.min(Math.max(1, outputTokens), most),
  };
  return { provenance: 'estimated', usage, suspicious: false };
};

/** @param estimate asked only where the vendor did not report */
const metered = (usage: unknown, estimate: () => Metered): Metered => {
  const reading = readOpenAiChatUsage(usage);
  if (reading.kind === 'reported') {
    const suspicious = reading.contradictions.length > 0;
    return { provenance: 'exact', usage: reading.pools, suspicious };
  }
  return { ...estimate(), suspicious: reading.why === 'not-believable' };
};

interface Told {
  readonly id?: unknown;
  readonly model?: unknown;
  readonly serviceTier?: unknown;
  readonly failure?: string;
}

const attemptOf = (candidate: Candidate, metering: Metered, told: Told, billed = true): Attempt => {
  const answeredModel = clip(told.model, 160);
  const vendorRequestId = clip(told.id, 128);
  const serviceTier = clip(told.serviceTier, 32);
  const { region } = candidate.vendor.config;
  return {
    provider: candidate.provider,
    model: candidate.model,
    ...(answeredModel === undefined ? {} : { answeredModel }),
    ...(vendorRequestId === undefined ? {} : { vendorRequestId }),
    ...(serviceTier === undefined ? {} : { serviceTier }),
    ...(region === undefined ? {} : { region }),
    billed,
    provenance: metering.provenance,
    usage: metering.usage,
    ...(told.failure === undefined ? {} : { failure: told.failure }),
  };
};

const textTokens = (summary: SseSummary): number =>
  Math.max(summary.outputEvents, Math.ceil(summary.outputBytes / 4));

const judgeStream = (end: UpstreamEnd, summary: SseSummary, judgement: Judgement): Outcome => {
  const metering = metered(summary.usage, () =>
    summary.outputEvents === 0 && !summary.done
      ? unknownUsage(judgement)
      : estimated(judgement, textTokens(summary)),
  );
  const whole = end.kind === 'complete' && (summary.done || summary.usage !== undefined);
  const failure = whole ? undefined : brokenOff(end);
  return {
    attempt: attemptOf(judgement.candidate, metering, {
      id: summary.id,
      model: summary.model,
      serviceTier: summary.serviceTier,
      ...(whole ? {} : { failure: end.kind === 'lost' ? failureOf(end) : 'broken-off' }),
    }),
    unbilled: false,
    failure,
    body: undefined,
    suspicious: metering.suspicious,
  };
};

const brokenOff = (end: UpstreamEnd): RefusalFields =>
  toRefusal(end.kind === 'lost' ? end : { kind: 'lost', cause: 'no end', timedOut: false });

const parseBody = (text: string): Record<string, unknown> | undefined => {
  try {
    const value: unknown = JSON.parse(text);
    return isRecord(value) ? value : undefined;
  } catch {
    return undefined;
  }
};

/** The text that a model wrote, wherever a vendor puts it. */
const writtenText = (body: Record<string, unknown>): string => {
  const choices: unknown = body['choices'];
  if (!Array.isArray(choices)) return '';
  return choices
    .map((choice: unknown) => {
      const message = isRecord(choice) ? choice['message'] : undefined;
      if (!isRecord(message)) return '';
      const { role: _role, ...written } = message;
      return Object.values(written)
        .filter((value) => value !== null)
        .map((value) => (typeof value === 'string' ? value : JSON.stringify(value)))
        .join('');
    })
    .join('');
};

const malformed: RefusalFields = {
  status: 502,
  type: 'server_error',
  code: 'upstream_malformed',
  message: 'The vendor answered with something that is not a completion.',
};

const judgeWhole = (text: string, requestId: string | undefined, judgement: Judgement): Outcome => {
  const body = parseBody(text);
  const { candidate, counter } = judgement;
  if (!body) {
    const metering = estimated(judgement, Math.ceil(Buffer.byteLength(text) / 4));
    const told = { id: requestId, failure: 'malformed' };
    const attempt = attemptOf(candidate, metering, told);
    return { attempt, unbilled: false, failure: malformed, body: undefined, suspicious: true };
  }
  const metering = metered(body['usage'], () =>
    estimated(judgement, counter.count('o200k', writtenText(body)).likely),
  );
  const told = {
    id: clip(body['id'], 128) ?? requestId,
    model: body['model'],
    serviceTier: body['service_tier'],
  };
  return {
    attempt: attemptOf(candidate, metering, told),
    unbilled: false,
    failure: undefined,
    body,
    suspicious: metering.suspicious,
  };
};

/** What a call came to: billed or not, what was used, and what the client gets. */
export const judge = (end: UpstreamEnd, answer: Answer, judgement: Judgement): Outcome => {
  if (answer.relay) return judgeStream(end, answer.relay.summary, judgement);
  if (end.kind === 'complete' && end.status < 300) {
    return judgeWhole(answer.wholeText, answer.requestId, judgement);
  }
  const unbilled =
    end.kind === 'unreached' || (end.kind === 'complete' && !leavesBillingOpen(end.status));
  const metering: Metered = unbilled
    ? { provenance: 'exact', usage: {}, suspicious: false }
    : unknownUsage(judgement);
  const told = { id: answer.requestId, failure: failureOf(end) };
  return {
    attempt: attemptOf(judgement.candidate, metering, told, !unbilled),
    unbilled,
    failure: toRefusal(end, judgement.candidate.vendor.config.apiKey),
    body: undefined,
    suspicious: false,
  };
};
