import type { Plan } from './behaviour.js';
import type { Answer, Billed } from './wire.js';

/** What this vendor needs to know of a request. */
export interface Call {
  readonly id: string;
  readonly clientRequestId: string | undefined;
  readonly model: string;
  readonly stream: boolean;
  readonly includeUsage: boolean;
  readonly answer: Answer;
  readonly billed: Billed;
}

interface Body {
  readonly model: string;
  readonly stream?: boolean;
  readonly stream_options?: { readonly include_usage?: boolean } | null;
  readonly max_tokens?: number | null;
  readonly max_completion_tokens?: number | null;
  readonly n?: number | null;
  readonly messages: readonly { readonly content?: unknown }[];
}

export const isBody = (value: unknown): value is Body => {
  if (typeof value !== 'object' || value === null) return false;
  const body = value as Record<string, unknown>;
  return typeof body['model'] === 'string' && Array.isArray(body['messages']);
};

/** Deliberately low: a real count is not below it, so an honest gateway's bound is not either. */
const guessInput = (messages: Body['messages']): number => {
  let characters = 0;
  for (const message of messages) {
    const content = message.content;
    if (typeof content === 'string') characters += content.length;
    else if (content !== undefined) characters += JSON.stringify(content).length;
  }
  return 3 + Math.ceil(characters / 8);
};

let callNo = 0;
const startedAt = Date.now().toString(36);

export const toCall = (body: Body, plan: Plan, clientRequestId: string | undefined): Call => {
  const limit = body.max_completion_tokens ?? body.max_tokens ?? undefined;
  const wanted = plan.outputTokens === 'max' ? (limit ?? 4096) : plan.outputTokens;
  const output = limit === undefined ? wanted : Math.min(wanted, limit);
  const choices = Math.min(Math.max(1, body.n ?? 1), 128);
  const promptTokens = plan.inputTokens ?? guessInput(body.messages);
  const id = `chatcmpl-sim-${startedAt}-${(++callNo).toString(36)}`;
  const reasoning = Math.min(plan.reasoningTokens, output);
  return {
    id,
    clientRequestId,
    model: body.model,
    stream: body.stream === true,
    includeUsage: body.stream_options?.include_usage === true,
    answer: {
      id,
      createdAtS: Math.floor(Date.now() / 1000),
      modelJson: JSON.stringify(body.model),
      choices,
      textTokens: output - reasoning,
      finishReason: limit !== undefined && wanted >= limit ? 'length' : 'stop',
    },
    billed: {
      promptTokens,
      completionTokens: output * choices,
      cachedTokens: Math.min(plan.cachedTokens, promptTokens),
      reasoningTokens: reasoning * choices,
    },
  };
};
