import type { Candidate } from '../models/catalogue.js';
import type { ChatCall } from './chat-call.convert.js';

/** OpenAI's reasoning models refuse `max_tokens`; most other vendors do not know the newer name. */
const wantsNewLimitField = (candidate: Candidate): boolean =>
  (candidate.provider === 'openai' || candidate.provider === 'azure') &&
  /^(o\d|gpt-[5-9])/.test(candidate.model);

/**
 * What the vendor gets: the caller's body with the vendor's own name of the model, the limit that was reserved,
 * and, in a stream, the wish to be told the usage.
 */
export const toUpstreamBody = (
  call: ChatCall,
  candidate: Candidate,
  outputTokens: number,
): string => {
  const field =
    call.outputLimit?.field ??
    (wantsNewLimitField(candidate) ? 'max_completion_tokens' : 'max_tokens');
  // A field that the client set to null stays out of the way of the one that is set here.
  const { max_tokens: _older, max_completion_tokens: _newer, ...rest } = call.body;
  return JSON.stringify({
    ...rest,
    model: candidate.upstreamModel,
    [field]: outputTokens,
    ...(call.stream
      ? { stream_options: { ...call.body.stream_options, include_usage: true } }
      : {}),
  });
};
