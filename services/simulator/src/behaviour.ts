import type { IncomingHttpHeaders } from 'node:http';
import { z } from 'zod';

const count = (max: number) => z.coerce.number().int().min(0).max(max);

export const failures = [
  'none',
  'status-500',
  'status-429',
  'status-400',
  'status-401',
  /** The connection breaks midway through the answer. */
  'cut',
  'no-usage',
  'hang',
  'malformed',
  'negative-usage',
] as const;
export type Failure = (typeof failures)[number];

/** How a call is answered. What a request does not set comes from its model, then from the process. */
export const behaviour = z.object({
  latencyMs: count(3_600_000).optional(),
  /** `max` generates, and bills, exactly the limit that the request names. */
  outputTokens: z.union([z.literal('max'), count(1_000_000)]).optional(),
  /** What is billed as input; absent: a plain guess from the length of the messages. */
  inputTokens: count(10_000_000).optional(),
  cachedTokens: count(10_000_000).optional(),
  reasoningTokens: count(1_000_000).optional(),
  /** 0: the whole stream in one write. */
  chunkIntervalMs: count(60_000).optional(),
  tokensPerChunk: z.coerce.number().int().min(1).max(10_000).optional(),
  failure: z.enum(failures).optional(),
  /** The share of calls that `failure` befalls, evenly spread; 1 by default. */
  failureRate: z.coerce.number().min(0).max(1).optional(),
  /** What a vendor does when its client hangs up: generate (and bill) on, or stop. */
  hangUp: z.enum(['drain', 'stop']).optional(),
});
export type Behaviour = z.infer<typeof behaviour>;

export const behaviourUpdate = behaviour.extend({
  models: z.record(z.string(), behaviour).optional(),
});
export type BehaviourUpdate = z.infer<typeof behaviourUpdate>;

export interface Plan {
  readonly latencyMs: number;
  readonly outputTokens: number | 'max';
  readonly inputTokens: number | undefined;
  readonly cachedTokens: number;
  readonly reasoningTokens: number;
  readonly chunkIntervalMs: number;
  readonly tokensPerChunk: number;
  readonly failure: Failure;
  readonly hangUp: 'drain' | 'stop';
}

const headerFields = {
  'x-sim-latency-ms': 'latencyMs',
  'x-sim-output-tokens': 'outputTokens',
  'x-sim-input-tokens': 'inputTokens',
  'x-sim-cached-tokens': 'cachedTokens',
  'x-sim-reasoning-tokens': 'reasoningTokens',
  'x-sim-chunk-interval-ms': 'chunkIntervalMs',
  'x-sim-tokens-per-chunk': 'tokensPerChunk',
  'x-sim-failure': 'failure',
  'x-sim-hang-up': 'hangUp',
} as const;

/** Undefined where the request sets nothing, which is the common and the fast case. */
const fromHeaders = (headers: IncomingHttpHeaders): Behaviour | undefined => {
  let fields: Record<string, unknown> | undefined;
  for (const name in headers) {
    if (!name.startsWith('x-sim-')) continue;
    const field = headerFields[name as keyof typeof headerFields] as string | undefined;
    if (field !== undefined) (fields ??= {})[field] = headers[name];
  }
  return fields && behaviour.parse(fields);
};

const toPlan = (set: Behaviour, failure: Failure): Plan => ({
  latencyMs: set.latencyMs ?? 0,
  outputTokens: set.outputTokens ?? 16,
  inputTokens: set.inputTokens,
  cachedTokens: set.cachedTokens ?? 0,
  reasoningTokens: set.reasoningTokens ?? 0,
  chunkIntervalMs: set.chunkIntervalMs ?? 0,
  tokensPerChunk: set.tokensPerChunk ?? 1,
  failure,
  hangUp: set.hangUp ?? 'stop',
});

/** The behaviour in force, of the process and of single models. */
export class Behaviours {
  private all: BehaviourUpdate;
  private readonly merged = new Map<string, Behaviour>();
  private owed = 0;

  constructor(private readonly initial: Behaviour) {
    this.all = initial;
  }

  get current(): BehaviourUpdate {
    return this.all;
  }

  update(change: BehaviourUpdate): void {
    this.all = {
      ...this.all,
      ...change,
      models: { ...this.all.models, ...change.models },
    };
    this.merged.clear();
    this.owed = 0;
  }

  reset(): void {
    this.all = this.initial;
    this.merged.clear();
    this.owed = 0;
  }

  /** @throws ZodError where a header is not what it must be. */
  planFor(model: string, headers: IncomingHttpHeaders): Plan {
    const own = fromHeaders(headers);
    const set = own ? { ...this.of(model), ...own } : this.of(model);
    return toPlan(set, this.befalls(set) ? (set.failure ?? 'none') : 'none');
  }

  private of(model: string): Behaviour {
    const known = this.merged.get(model);
    if (known) return known;
    const { models, ...process } = this.all;
    const made = { ...process, ...models?.[model] };
    if (this.merged.size < 1000) this.merged.set(model, made);
    return made;
  }

  /** Evenly spread and free of chance, so that a run can be repeated. */
  private befalls(set: Behaviour): boolean {
    if (set.failureRate === undefined) return true;
    this.owed += set.failureRate;
    if (this.owed < 1) return false;
    this.owed -= 1;
    return true;
  }
}
