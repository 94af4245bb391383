/** OpenAI's wire format, put together from strings because this process must not be the bottleneck. */

export interface Billed {
  readonly promptTokens: number;
  readonly completionTokens: number;
  readonly cachedTokens: number;
  readonly reasoningTokens: number;
}

export interface Answer {
  readonly id: string;
  readonly createdAtS: number;
  /** Already a JSON string, with its quotes. */
  readonly modelJson: string;
  readonly choices: number;
  /** Tokens of text in each choice. */
  readonly textTokens: number;
  readonly finishReason: 'stop' | 'length';
}

const word = 'toll ';
const texts = new Map<number, string>();

const textOf = (tokens: number): string => {
  const known = texts.get(tokens);
  if (known !== undefined) return known;
  const made = word.repeat(tokens);
  if (texts.size < 256) texts.set(tokens, made);
  return made;
};

export const usageJson = (billed: Billed): string =>
  `{"prompt_tokens":${String(billed.promptTokens)},"completion_tokens":${String(billed.completionTokens)},` +
  `"total_tokens":${String(billed.promptTokens + billed.completionTokens)},` +
  `"prompt_tokens_details":{"cached_tokens":${String(billed.cachedTokens)},"audio_tokens":0},` +
  `"completion_tokens_details":{"reasoning_tokens":${String(billed.reasoningTokens)},"audio_tokens":0,` +
  `"accepted_prediction_tokens":0,"rejected_prediction_tokens":0}}`;

const choiceJson = (index: number, text: string, finishReason: string): string =>
  `{"index":${String(index)},"message":{"role":"assistant","content":"${text}","refusal":null,"annotations":[]},` +
  `"logprobs":null,"finish_reason":"${finishReason}"}`;

/** `usage` undefined leaves the field out. */
export const completionJson = (answer: Answer, usage: string | undefined): string => {
  const text = textOf(answer.textTokens);
  let choices = choiceJson(0, text, answer.finishReason);
  for (let index = 1; index < answer.choices; index++) {
    choices += `,${choiceJson(index, text, answer.finishReason)}`;
  }
  return (
    `{"id":"${answer.id}","object":"chat.completion","created":${String(answer.createdAtS)},` +
    `"model":${answer.modelJson},"choices":[${choices}],` +
    `${usage === undefined ? '' : `"usage":${usage},`}"service_tier":"default","system_fingerprint":"fp_simulator"}`
  );
};

/** The parts of a stream's chunks that are the same in all of them. */
export class ChunkWriter {
  private readonly head: string;
  private readonly tail: string;

  constructor(
    private readonly answer: Answer,
    private readonly includeUsage: boolean,
  ) {
    this.head =
      `data: {"id":"${answer.id}","object":"chat.completion.chunk","created":${String(answer.createdAtS)},` +
      `"model":${answer.modelJson},"service_tier":"default","system_fingerprint":"fp_simulator","choices":[`;
    this.tail = includeUsage ? '],"usage":null}\n\n' : ']}\n\n';
  }

  private chunk(index: number, delta: string, finishReason: string): string {
    return `${this.head}{"index":${String(index)},"delta":${delta},"logprobs":null,"finish_reason":${finishReason}}${this.tail}`;
  }

  private each(delta: string, finishReason: string): string {
    let text = '';
    for (let index = 0; index < this.answer.choices; index++) {
      text += this.chunk(index, delta, finishReason);
    }
    return text;
  }

  first(): string {
    return this.each('{"role":"assistant","content":"","refusal":null}', 'null');
  }

  tokens(count: number): string {
    return this.each(`{"content":"${textOf(count)}"}`, 'null');
  }

  last(): string {
    return this.each('{}', `"${this.answer.finishReason}"`);
  }

  /** The extra chunk that a client gets who asked for usage. */
  usage(billed: Billed): string {
    return this.includeUsage ? `${this.head}],"usage":${usageJson(billed)}}\n\n` : '';
  }

  readonly done = 'data: [DONE]\n\n';
}

export const errorJson = (status: number): string => {
  const known: Record<number, string> = {
    400: '{"error":{"message":"The simulator was told to refuse this request.","type":"invalid_request_error","param":null,"code":"simulated"}}',
    401: '{"error":{"message":"Incorrect API key provided.","type":"invalid_request_error","param":null,"code":"invalid_api_key"}}',
    429: '{"error":{"message":"Rate limit reached (simulated).","type":"requests","param":null,"code":"rate_limit_exceeded"}}',
  };
  return (
    known[status] ??
    '{"error":{"message":"The server had an error (simulated).","type":"server_error","param":null,"code":null}}'
  );
};
