import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { parseExact } from '@tollkeeper/kernel';
import { apis, readAnswer, type Api } from './read-answer.js';

/** `trap`, api, answer, and what is read of it: pools, then model, service tier and whatever else matters. */
type Golden = readonly [trap: string, api: Api, response: unknown, expected: object];

const chat = (usage: object, more: object = {}): object => ({
  id: 'c1',
  object: 'chat.completion',
  model: 'gpt-5.6',
  choices: [],
  usage,
  ...more,
});

const prompt = (prompt_tokens: number, completion_tokens: number, more: object = {}): object => ({
  prompt_tokens,
  completion_tokens,
  total_tokens: prompt_tokens + completion_tokens,
  ...more,
});

const openai: readonly Golden[] = [
  [
    'prompt includes cached and cache-written tokens, completion includes reasoning and rejected predictions',
    'openai.chat',
    chat(
      prompt(1000, 300, {
        prompt_tokens_details: { cached_tokens: 600, cache_write_tokens: 100, audio_tokens: 0 },
        completion_tokens_details: { reasoning_tokens: 120, rejected_prediction_tokens: 30 },
      }),
      { service_tier: 'default' },
    ),
    {
      pools: { input: 300, cache_read: 600, cache_write: 100, output: 180, reasoning: 120 },
      model: 'gpt-5.6',
      serviceTier: 'default',
      provenance: 'exact',
    },
  ],
  [
    'a stream tells its usage in a chunk of its own, the others say null',
    'openai.chat',
    [
      chat({}, { usage: null, choices: [{ delta: { content: 'a' } }] }),
      chat(prompt(10, 5), { service_tier: 'flex' }),
    ],
    { pools: { input: 10, output: 5 }, serviceTier: 'flex' },
  ],
  [
    'a first chunk without model and choices is no usage (Azure)',
    'openai.chat',
    [
      { id: '', object: '', model: '', choices: [], prompt_filter_results: [], usage: null },
      chat(prompt(10, 5)),
    ],
    { pools: { input: 10, output: 5 }, model: 'gpt-5.6' },
  ],
  [
    'usage that is repeated counts up and is not summed',
    'openai.chat',
    [chat(prompt(10, 1)), chat(prompt(10, 2)), chat(prompt(10, 3))],
    { pools: { input: 10, output: 3 } },
  ],
  [
    'reasoning that only the total shows (xAI)',
    'openai.chat',
    chat({ prompt_tokens: 10, completion_tokens: 5, total_tokens: 115 }),
    { pools: { input: 10, output: 5, reasoning: 100 }, notes: ['reasoning-beside-output'] },
  ],
  [
    'audio that was cached is in no second pool',
    'openai.chat',
    chat(prompt(100, 50, { prompt_tokens_details: { cached_tokens: 80, audio_tokens: 40 } })),
    {
      pools: { input_audio: 20, cache_read: 60, cache_read_audio: 20, output: 50 },
      notes: ['cache-modality-unknown'],
    },
  ],
  [
    'audio in and out',
    'openai.chat',
    chat(
      prompt(100, 50, {
        prompt_tokens_details: { audio_tokens: 40 },
        completion_tokens_details: { audio_tokens: 20 },
      }),
    ),
    { pools: { input: 60, input_audio: 40, output: 30, output_audio: 20 } },
  ],
  [
    'details that are null count nothing',
    'openai.chat',
    chat(prompt(3, 4, { prompt_tokens_details: null, completion_tokens_details: null })),
    { pools: { input: 3, output: 4 }, contradictions: [] },
  ],
  [
    'cached tokens beyond the prompt cannot be true',
    'openai.chat',
    chat(prompt(100, 1, { prompt_tokens_details: { cached_tokens: 600 } })),
    { contradictions: ['cached tokens is 600, of 100 at most'] },
  ],
  [
    'a total below its parts is named',
    'openai.chat',
    chat({ prompt_tokens: 10, completion_tokens: 5, total_tokens: 3 }),
    { pools: { input: 10, output: 5 }, notes: ['total-differs'] },
  ],
  [
    'the whole answer of the responses API',
    'openai.responses',
    {
      object: 'response',
      model: 'gpt-5.6',
      service_tier: 'flex',
      usage: {
        input_tokens: 1000,
        input_tokens_details: { cached_tokens: 600, cache_write_tokens: 0 },
        output_tokens: 300,
        output_tokens_details: { reasoning_tokens: 120 },
        total_tokens: 1300,
      },
    },
    {
      pools: { input: 400, cache_read: 600, output: 180, reasoning: 120 },
      model: 'gpt-5.6',
      serviceTier: 'flex',
    },
  ],
  [
    'the last event of a responses stream, whose first have no usage',
    'openai.responses',
    [
      { type: 'response.created', response: { model: 'gpt-5.6', usage: null } },
      { type: 'response.output_text.delta', delta: 'a' },
      {
        type: 'response.incomplete',
        response: { model: 'gpt-5.6', usage: { input_tokens: 7, output_tokens: 8 } },
      },
    ],
    { pools: { input: 7, output: 8 } },
  ],
  [
    'searches of the responses API are billed by the call, page openings are not',
    'openai.responses',
    {
      model: 'gpt-5.6',
      output: [
        { type: 'web_search_call', action: { type: 'search' } },
        { type: 'web_search_call', action: { type: 'open_page' } },
        { type: 'file_search_call' },
        { type: 'code_interpreter_call' },
      ],
      usage: { input_tokens: 7, output_tokens: 8, total_tokens: 15 },
    },
    {
      pools: { input: 7, output: 8, web_search: 1, file_search: 1 },
      notes: ['tool-not-metered'],
    },
  ],
  [
    'embeddings write nothing',
    'openai.embeddings',
    {
      object: 'list',
      model: 'text-embedding-3-small',
      usage: { prompt_tokens: 8, total_tokens: 8 },
    },
    { pools: { input: 8 }, model: 'text-embedding-3-small', contradictions: [], notes: [] },
  ],
];

const messageStart = {
  type: 'message_start',
  message: {
    id: 'm1',
    model: 'claude-sonnet-4-5',
    usage: {
      input_tokens: 3,
      cache_creation_input_tokens: 1956,
      cache_read_input_tokens: 9511,
      cache_creation: { ephemeral_5m_input_tokens: 1956, ephemeral_1h_input_tokens: 0 },
      output_tokens: 1,
      service_tier: 'standard',
    },
  },
};

const message = (usage: object): object => ({ type: 'message', model: 'claude-sonnet-4-5', usage });

const anthropic: readonly Golden[] = [
  [
    'input excludes both cache counts; the deltas of a stream are cumulative',
    'anthropic.messages',
    [
      messageStart,
      { type: 'message_delta', delta: {}, usage: { output_tokens: 20 } },
      {
        type: 'message_delta',
        delta: { stop_reason: 'end_turn' },
        usage: {
          output_tokens: 44,
          input_tokens: null,
          server_tool_use: { web_search_requests: 1 },
        },
      },
    ],
    {
      pools: { input: 3, cache_write: 1956, cache_read: 9511, output: 44, web_search: 1 },
      model: 'claude-sonnet-4-5',
      serviceTier: 'standard',
      provenance: 'exact',
    },
  ],
  [
    'the text of a stream, with event names and pings',
    'anthropic.messages',
    `event: message_start\ndata: ${JSON.stringify(messageStart)}\n\nevent: ping\ndata: {"type":"ping"}\n\n` +
      'event: message_delta\ndata: {"type":"message_delta","usage":{"output_tokens":44}}\n\n',
    { pools: { input: 3, cache_write: 1956, cache_read: 9511, output: 44 } },
  ],
  [
    'a stream without its end is a placeholder of output',
    'anthropic.messages',
    [messageStart],
    {
      pools: { input: 3, cache_write: 1956, cache_read: 9511, output: 1 },
      provenance: 'estimated',
      notes: ['incomplete-stream'],
    },
  ],
  [
    'writes to the one-hour cache have a price of their own',
    'anthropic.messages',
    message({
      input_tokens: 10,
      cache_creation_input_tokens: 300,
      cache_creation: { ephemeral_5m_input_tokens: 100, ephemeral_1h_input_tokens: 200 },
      output_tokens: 5,
    }),
    { pools: { input: 10, cache_write: 100, cache_write_1h: 200, output: 5 } },
  ],
  [
    'without ages every write is one of five minutes',
    'anthropic.messages',
    message({ input_tokens: 10, cache_creation_input_tokens: 300, output_tokens: 5 }),
    { pools: { input: 10, cache_write: 300, output: 5 } },
  ],
  [
    'ages that are not the writes cannot be true',
    'anthropic.messages',
    message({
      input_tokens: 10,
      cache_creation_input_tokens: 300,
      cache_creation: { ephemeral_5m_input_tokens: 100, ephemeral_1h_input_tokens: 100 },
      output_tokens: 5,
    }),
    { contradictions: ['cache_creation counts 200 tokens, cache_creation_input_tokens 300'] },
  ],
  [
    'thinking is within the output, at its price',
    'anthropic.messages',
    message({
      input_tokens: 10,
      output_tokens: 50,
      output_tokens_details: { thinking_tokens: 30 },
      service_tier: 'batch',
    }),
    { pools: { input: 10, output: 50 }, serviceTier: 'batch' },
  ],
  [
    'fast mode is a tier, and a region is told',
    'anthropic.messages',
    message({ input_tokens: 10, output_tokens: 5, speed: 'fast', inference_geo: 'US' }),
    { serviceTier: 'fast', region: 'us' },
  ],
  [
    'compactions are billed beside the totals, messages within them',
    'anthropic.messages',
    message({
      input_tokens: 10,
      output_tokens: 5,
      iterations: [
        { type: 'compaction', input_tokens: 1000, output_tokens: 200 },
        { type: 'message', input_tokens: 10, output_tokens: 5 },
      ],
    }),
    { pools: { input: 1010, output: 205 } },
  ],
];

const gemini = (usageMetadata: object): object => ({
  modelVersion: 'gemini-2.5-pro',
  usageMetadata,
});

const google: readonly Golden[] = [
  [
    'the prompt includes cached tokens; thoughts are not among the candidates’',
    'google.generate-content',
    gemini({
      promptTokenCount: 373,
      cachedContentTokenCount: 204,
      toolUsePromptTokenCount: 0,
      candidatesTokenCount: 89,
      thoughtsTokenCount: 167,
      totalTokenCount: 629,
      promptTokensDetails: [
        { modality: 'TEXT', tokenCount: 115 },
        { modality: 'IMAGE', tokenCount: 258 },
      ],
      trafficType: 'ON_DEMAND',
    }),
    {
      pools: { input: 169, cache_read: 204, output: 89, reasoning: 167 },
      model: 'gemini-2.5-pro',
      serviceTier: 'on_demand',
      notes: [],
    },
  ],
  [
    'tokens of tool results are input beside the prompt',
    'google.generate-content',
    gemini({
      promptTokenCount: 100,
      toolUsePromptTokenCount: 40,
      candidatesTokenCount: 10,
      totalTokenCount: 150,
      trafficType: 'ON_DEMAND_FLEX',
    }),
    { pools: { input: 140, output: 10 }, serviceTier: 'flex' },
  ],
  [
    'chunks count up and are not summed; zeros at the first and the last say nothing',
    'google.generate-content',
    [
      gemini({ promptTokenCount: 0, totalTokenCount: 0 }),
      gemini({ promptTokenCount: 10, candidatesTokenCount: 2, totalTokenCount: 12 }),
      gemini({ promptTokenCount: 10, candidatesTokenCount: 9, totalTokenCount: 19 }),
      gemini({ promptTokenCount: 0, totalTokenCount: 0 }),
    ],
    { pools: { input: 10, output: 9 } },
  ],
  [
    'audio has a price of its own, cached or not',
    'google.generate-content',
    gemini({
      promptTokenCount: 1000,
      cachedContentTokenCount: 600,
      candidatesTokenCount: 50,
      totalTokenCount: 1050,
      promptTokensDetails: [
        { modality: 'TEXT', tokenCount: 300 },
        { modality: 'AUDIO', tokenCount: 700 },
      ],
      cacheTokensDetails: [{ modality: 'AUDIO', tokenCount: 600 }],
    }),
    { pools: { input: 300, input_audio: 100, cache_read_audio: 600, output: 50 } },
  ],
  [
    'of cached tokens without details as few as can be are audio',
    'google.generate-content',
    gemini({
      promptTokenCount: 1000,
      cachedContentTokenCount: 600,
      candidatesTokenCount: 50,
      promptTokensDetails: [{ modality: 'AUDIO', tokenCount: 700 }],
    }),
    {
      pools: { input_audio: 400, cache_read: 300, cache_read_audio: 300, output: 50 },
      notes: ['cache-modality-unknown'],
    },
  ],
  [
    'images that a model writes have a price of their own',
    'google.generate-content',
    gemini({
      promptTokenCount: 10,
      candidatesTokenCount: 1300,
      candidatesTokensDetails: [
        { modality: 'TEXT', tokenCount: 10 },
        { modality: 'IMAGE', tokenCount: 1290 },
      ],
    }),
    { pools: { input: 10, output: 10, output_image: 1290 } },
  ],
  [
    'cached tokens beyond the prompt cannot be true',
    'google.generate-content',
    gemini({ promptTokenCount: 10, cachedContentTokenCount: 11, candidatesTokenCount: 1 }),
    { contradictions: ['cachedContentTokenCount is 11, of 10 at most'] },
  ],
  [
    'a total that is not its parts is named',
    'google.generate-content',
    gemini({ promptTokenCount: 10, candidatesTokenCount: 1, totalTokenCount: 12 }),
    { notes: ['total-differs'] },
  ],
];

const deepseek = prompt(563, 116, {
  prompt_cache_hit_tokens: 512,
  prompt_cache_miss_tokens: 51,
  completion_tokens_details: { reasoning_tokens: 60 },
});

const others: readonly Golden[] = [
  [
    'hits and misses are the prompt (DeepSeek)',
    'deepseek.chat',
    chat(deepseek, { model: 'deepseek-v4-flash' }),
    {
      pools: { input: 51, cache_read: 512, output: 56, reasoning: 60 },
      model: 'deepseek-v4-flash',
    },
  ],
  [
    'hits that are told twice are taken once (DeepSeek)',
    'deepseek.chat',
    chat({ ...deepseek, prompt_tokens_details: { cached_tokens: 512 } }),
    { pools: { input: 51, cache_read: 512, output: 56, reasoning: 60 }, contradictions: [] },
  ],
  [
    'hits and misses that are not the prompt cannot be true (DeepSeek)',
    'deepseek.chat',
    chat({ ...deepseek, prompt_cache_miss_tokens: 50 }),
    { contradictions: ['cache hits 512 and misses 50 are not 563'] },
  ],
  [
    'hits that are told twice must agree (DeepSeek)',
    'deepseek.chat',
    chat({ ...deepseek, prompt_tokens_details: { cached_tokens: 500 } }),
    { contradictions: ['cached tokens are both 500 and 512'] },
  ],
  [
    'a stream’s usage stands in x_groq',
    'groq.chat',
    [
      { id: 'g1', model: 'llama-3.3-70b-versatile', choices: [], x_groq: { id: 'req_1' } },
      { model: 'llama-3.3-70b-versatile', x_groq: { id: 'req_1', usage: prompt(10, 5) } },
    ],
    { pools: { input: 10, output: 5 }, model: 'llama-3.3-70b-versatile' },
  ],
  [
    'usage that stands beside x_groq is the same, and taken once',
    'groq.chat',
    chat(prompt(10, 5, { queue_time: 0.1, prompt_time: 0.2, total_time: 0.5 }), {
      x_groq: { usage: prompt(10, 5) },
      service_tier: 'on_demand',
    }),
    { pools: { input: 10, output: 5 }, serviceTier: 'on_demand' },
  ],
  [
    'num_cached_tokens stands beside the tokens (Mistral)',
    'mistral.chat',
    chat(prompt(100, 5, { num_cached_tokens: 64 }), { model: 'mistral-medium-latest' }),
    { pools: { input: 36, cache_read: 64, output: 5 } },
  ],
  [
    'audio is billed by the second; its tokens are in the total alone (Mistral)',
    'mistral.chat',
    chat({
      prompt_tokens: 4,
      completion_tokens: 635,
      total_tokens: 3264,
      prompt_audio_seconds: 203,
    }),
    { pools: { input: 4, output: 635, input_audio_second: 203 } },
  ],
  [
    'the cost is read as decimal text, noise and all (OpenRouter)',
    'openrouter.chat',
    ': OPENROUTER PROCESSING\n\ndata: {"model":"anthropic/claude-4.5-sonnet","choices":[],"usage":{"prompt_tokens":14,' +
      '"completion_tokens":4,"total_tokens":18,"cost":4.1400000000000003e-05,"is_byok":false}}\n\ndata: [DONE]\n\n',
    {
      pools: { input: 14, output: 4 },
      model: 'anthropic/claude-4.5-sonnet',
      reportedCostUsd: '0.000041400000000000003',
    },
  ],
  [
    'with the caller’s own key the vendor’s cost is the upstream’s (OpenRouter)',
    'openrouter.chat',
    chat(
      prompt(14, 4, {
        cost: 0,
        is_byok: true,
        cost_details: { upstream_inference_cost: 0.000102 },
      }),
    ),
    { reportedCostUsd: '0.000102' },
  ],
  [
    'the times beside the tokens are not billed (Cerebras)',
    'cerebras.chat',
    chat(prompt(20, 30, { prompt_tokens_details: { cached_tokens: 0 } }), {
      model: 'gpt-oss-120b',
      time_info: { queue_time: 0.01 },
    }),
    { pools: { input: 20, output: 30 }, model: 'gpt-oss-120b' },
  ],
];

describe('a vendor’s answer is read', () => {
  const golden = [...openai, ...anthropic, ...google, ...others];

  it.each(golden)('%s (%s)', (_trap, api, response, expected) => {
    const reading = readAnswer(api, response);
    expect(reading.kind).toBe('reported');
    const { pools, ...rest } = expected as { pools?: object };
    expect(reading).toMatchObject(rest);
    if (pools) expect(reading).toHaveProperty('pools', pools);
  });

  test('in every wire format', () => {
    expect(new Set(golden.map(([, api]) => api))).toEqual(new Set(apis));
  });
});

describe('missing usage is refused and never zero', () => {
  it.each(apis)('where %s says nothing', (api) => {
    for (const response of [{}, [], '', 'data: [DONE]', null, 7, { usage: null }, { error: {} }]) {
      expect(readAnswer(api, response)).toMatchObject({ kind: 'missing', why: 'absent' });
    }
  });

  it.each<readonly [Api, object]>([
    ['openai.chat', { usage: prompt(0, 0) }],
    ['openai.chat', { usage: { prompt_tokens: 10 } }],
    ['openai.chat', { usage: { prompt_tokens: -1, completion_tokens: 4 } }],
    ['openai.chat', { usage: { prompt_tokens: 1.5, completion_tokens: 4 } }],
    ['openai.embeddings', { usage: { prompt_tokens: 0, total_tokens: 0 } }],
    ['openai.responses', { usage: { input_tokens: 0, output_tokens: 0, total_tokens: 0 } }],
    ['anthropic.messages', { usage: { input_tokens: 0, output_tokens: 0 } }],
    ['anthropic.messages', { type: 'message_delta', usage: { output_tokens: 44 } }],
    ['anthropic.messages', { usage: { input_tokens: 1, output_tokens: '4' } }],
    ['google.generate-content', { usageMetadata: {} }],
    ['google.generate-content', { usageMetadata: { promptTokenCount: -1 } }],
  ])('where %s says what cannot be believed: %j', (api, response) => {
    expect(readAnswer(api, response)).toMatchObject({ kind: 'missing', why: 'not-believable' });
  });

  it.each<readonly [Api, object]>([
    [
      'anthropic.messages',
      message({
        input_tokens: 1,
        output_tokens: 1,
        iterations: [{ type: 'advisor_message', model: 'claude-opus-5', input_tokens: 9 }],
      }),
    ],
    [
      'groq.chat',
      chat(prompt(1, 1), {
        usage_breakdown: {
          models: [
            { model: 'a', usage: {} },
            { model: 'b', usage: {} },
          ],
        },
      }),
    ],
  ])('where %s used several models', (api, response) => {
    expect(readAnswer(api, response)).toMatchObject({ kind: 'missing', why: 'several-models' });
  });
});

test('a cost with more digits than a double holds stays what was written', () => {
  const text = '{"usage":{"prompt_tokens":1,"completion_tokens":1,"cost":0.1234567890123456789}}';
  expect(readAnswer('openrouter.chat', JSON.parse(text), parseExact(text))).toHaveProperty(
    'reportedCostUsd',
    '0.1234567890123456789',
  );
});

test('whatever an answer says, a reading has whole, positive pools or a reason', () => {
  const junk = fc.oneof(
    fc.integer({ min: -5, max: 500 }),
    fc.constantFrom(null, 'many', 1e300, 0.5, undefined, {}, []),
  );
  const details = fc.dictionary(
    fc.constantFrom(
      'cached_tokens',
      'cache_write_tokens',
      'audio_tokens',
      'image_tokens',
      'reasoning_tokens',
    ),
    junk,
  );
  const modality = fc.array(
    fc.record({ modality: fc.constantFrom('TEXT', 'AUDIO', 'IMAGE', 'VIDEO'), tokenCount: junk }),
  );
  const figures = fc.record(
    {
      prompt_tokens: junk,
      completion_tokens: junk,
      input_tokens: junk,
      output_tokens: junk,
      total_tokens: junk,
      prompt_cache_hit_tokens: junk,
      cache_creation_input_tokens: junk,
      cache_read_input_tokens: junk,
      cache_creation: fc.record({
        ephemeral_5m_input_tokens: junk,
        ephemeral_1h_input_tokens: junk,
      }),
      prompt_tokens_details: fc.oneof(details, junk),
      completion_tokens_details: fc.oneof(details, junk),
      input_tokens_details: details,
      promptTokenCount: junk,
      cachedContentTokenCount: junk,
      toolUsePromptTokenCount: junk,
      candidatesTokenCount: junk,
      promptTokensDetails: modality,
      cacheTokensDetails: modality,
      candidatesTokensDetails: modality,
      prompt_audio_seconds: junk,
    },
    { requiredKeys: [] },
  );
  fc.assert(
    fc.property(fc.constantFrom(...apis), figures, (api, usage) => {
      const reading = readAnswer(api, { usage, usageMetadata: usage });
      if (reading.kind === 'missing') return reading.message !== '';
      return Object.values(reading.pools).every(
        (count) => Number.isSafeInteger(count) && count > 0,
      );
    }),
    { numRuns: 2000 },
  );
});
