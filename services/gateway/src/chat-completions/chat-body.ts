/** The body of a chat completion as far as the gateway looks into it; see OpenAI's reference. */
export interface ChatBody {
  readonly model: string;
  readonly messages: readonly ChatMessage[];
  readonly stream?: boolean | null;
  readonly stream_options?: { readonly include_usage?: boolean } | null;
  readonly max_tokens?: number | null;
  readonly max_completion_tokens?: number | null;
  readonly n?: number | null;
  readonly metadata?: Readonly<Record<string, string>> | null;
  readonly service_tier?: string | null;
  readonly tools?: unknown;
  readonly functions?: unknown;
  readonly tool_choice?: unknown;
  readonly function_call?: unknown;
  readonly response_format?: unknown;
}

export interface ChatMessage {
  readonly role: string;
  readonly content?: string | readonly ContentPart[] | null;
  readonly [field: string]: unknown;
}

export interface ContentPart {
  readonly type: string;
  readonly text?: unknown;
  readonly refusal?: unknown;
  readonly image_url?: { readonly detail?: unknown };
}

/**
 * Fields that are passed on. Any other is refused, as OpenAI does: a field that nobody knows may name a URL
 * or switch on something that is billed beside the tokens.
 */
export const passedOn: ReadonlySet<string> = new Set([
  'model',
  'messages',
  'stream',
  'stream_options',
  'max_tokens',
  'max_completion_tokens',
  'n',
  'metadata',
  'service_tier',
  'tools',
  'functions',
  'tool_choice',
  'function_call',
  'parallel_tool_calls',
  'response_format',
  'modalities',
  'temperature',
  'top_p',
  'top_k',
  'top_a',
  'min_p',
  'stop',
  'seed',
  'presence_penalty',
  'frequency_penalty',
  'repetition_penalty',
  'logit_bias',
  'logprobs',
  'top_logprobs',
  'user',
  'store',
  'reasoning_effort',
  'reasoning',
  'thinking',
  'verbosity',
  'safety_identifier',
  'prompt_cache_key',
  'prompt_cache_retention',
  'safe_prompt',
  'random_seed',
]);

/** Known fields that make a call cost more than its tokens, or more tokens than its limit. */
export const unboundedFields: Readonly<Record<string, string>> = {
  prediction: 'Predicted output is billed beyond the output limit.',
  web_search_options: 'Web search is billed by the search.',
  audio: 'Audio output is billed by other tokens.',
};
