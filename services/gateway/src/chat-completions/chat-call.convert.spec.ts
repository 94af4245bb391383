import { describe, expect, it } from 'vitest';
import { refusalOf } from '../http/refusal-of.fixture.js';
import { toChatCall } from './chat-call.convert.js';

const caller = { keyId: 'k', accountId: 'a', userId: 'u', projectId: undefined };
const messages = [{ role: 'user', content: 'hi' }];
const minimal = { model: 'gpt-4o', messages };
const call = (fields: object, headers: Record<string, string> = {}) =>
  toChatCall({ ...minimal, ...fields }, headers, caller);

describe('a request for a completion', () => {
  it('needs no more than a model and a message', () => {
    expect(call({})).toMatchObject({
      models: ['gpt-4o'],
      stream: false,
      usageAsked: false,
      choices: 1,
      outputLimit: undefined,
      shrinkAllowed: false,
    });
  });

  it('names its chain of models, its limit and whether that may shrink', () => {
    const headers = {
      'x-toll-fallback': 'gpt-4o-mini, deepseek/deepseek-chat',
      'x-toll-shrink': 'allow',
    };
    expect(call({ max_tokens: 5, n: 3, stream: true }, headers)).toMatchObject({
      models: ['gpt-4o', 'gpt-4o-mini', 'deepseek/deepseek-chat'],
      outputLimit: { field: 'max_tokens', tokens: 5 },
      choices: 3,
      stream: true,
      shrinkAllowed: true,
    });
  });

  it('takes null for absent, as OpenAI does', () => {
    expect(
      call({ max_tokens: null, n: null, stream: null, tools: null, metadata: null }),
    ).toMatchObject({
      choices: 1,
      outputLimit: undefined,
    });
  });

  it.each<[string, unknown]>([
    ['no object', []],
    ['a text', 'hi'],
    ['null', null],
    ['no model', { messages }],
    ['a model that is no text', { model: 7, messages }],
    ['a model of 161 characters', { model: 'm'.repeat(161), messages }],
    ['no messages', { model: 'gpt-4o' }],
    ['an empty list of messages', { model: 'gpt-4o', messages: [] }],
    ['a message without a role', { model: 'gpt-4o', messages: [{ content: 'x' }] }],
    ['a message that is null', { model: 'gpt-4o', messages: [null] }],
    ['content that is a number', { model: 'gpt-4o', messages: [{ role: 'user', content: 7 }] }],
    ['a part without a type', { model: 'gpt-4o', messages: [{ role: 'user', content: [{}] }] }],
    ['no output at all', { ...minimal, max_tokens: 0 }],
    ['a negative limit', { ...minimal, max_tokens: -1 }],
    ['half a token', { ...minimal, max_tokens: 0.5 }],
    ['an endless limit', { ...minimal, max_tokens: Number.POSITIVE_INFINITY }],
    ['a limit as text', { ...minimal, max_tokens: '5' }],
    ['two limits', { ...minimal, max_tokens: 5, max_completion_tokens: 5 }],
    ['no choices', { ...minimal, n: 0 }],
    ['129 choices', { ...minimal, n: 129 }],
    ['a stream that is a text', { ...minimal, stream: 'yes' }],
    ['stream options without a stream', { ...minimal, stream_options: { include_usage: true } }],
    [
      'include_usage that is no boolean',
      { ...minimal, stream: true, stream_options: { include_usage: 1 } },
    ],
    ['metadata that is a list', { ...minimal, metadata: [] }],
    ['metadata with an object', { ...minimal, metadata: { a: {} } }],
    ['metadata with a long text', { ...minimal, metadata: { a: 'x'.repeat(257) } }],
    ['metadata with a NUL', { ...minimal, metadata: { a: 'x\0' } }],
    ['metadata with a name of half a character', { ...minimal, metadata: { '\ud83d': 'x' } }],
    ['a task type with a NUL', { ...minimal, metadata: { task_type: 'x\0' } }],
    ['a project that is no id', { ...minimal, metadata: { project: 'a b' } }],
    ['a project that is no text', { ...minimal, metadata: { project: 5 } }],
    ['a task type of 65 characters', { ...minimal, metadata: { task_type: 'x'.repeat(65) } }],
  ])('is refused with 400 for %s', (_what, body) => {
    expect(refusalOf(() => toChatCall(body, {}, caller))).toMatchObject({
      status: 400,
      type: 'invalid_request_error',
    });
  });

  it.each([
    'api_base',
    'base_url',
    'api_key',
    'extra_body',
    'plugins',
    'models',
    '__proto__x',
    'constructor',
    'toString',
  ])(
    'is refused for a field that nobody knows, which might name a URL or cost money: %s',
    (name) => {
      expect(refusalOf(() => call({ [name]: 'https://evil.example' }))).toMatchObject({
        status: 400,
        code: 'unknown_parameter',
        param: name,
      });
    },
  );

  it.each([
    ['predicted output', { prediction: { type: 'content', content: 'x' } }],
    ['web search', { web_search_options: {} }],
    ['a tool of the vendor', { tools: [{ type: 'web_search' }] }],
    ['a tool that is null', { tools: [null] }],
    ['audio', { modalities: ['text', 'audio'] }],
    ['an audio voice', { audio: { voice: 'alloy' } }],
  ])('is refused as unbounded for %s', (_what, fields) => {
    expect(refusalOf(() => call(fields))).toMatchObject({ status: 400, code: 'unbounded' });
  });
});

describe('what a call is for', () => {
  it('is said in metadata', () => {
    const metadata = { project: 'p1', task_type: 'summary', order: '17', step: '2' };
    expect(call({ metadata }).purpose).toEqual({
      projectId: 'p1',
      taskType: 'summary',
      context: { order: '17', step: '2' },
    });
  });

  it('is said in headers, which win', () => {
    const headers = {
      'x-toll-project': 'p2',
      'x-toll-task-type': 'chat',
      'x-toll-context': 'order=18; step=3',
    };
    expect(call({ metadata: { project: 'p1', order: '17' } }, headers).purpose).toEqual({
      projectId: 'p2',
      taskType: 'chat',
      context: { order: '18', step: '3' },
    });
  });

  it('may be JSON in its header', () => {
    const headers = { 'x-toll-context': '{"order":"18"}' };
    expect(call({}, headers).purpose).toEqual({ context: { order: '18' } });
  });

  it.each([
    ['broken JSON', '{"a":'],
    ['nested JSON', '{"a":{"b":"c"}}'],
    ['no pairs', 'order'],
    ['more than 1 kB', `a=${'x'.repeat(1_100)}`],
  ])('is refused with 400 for %s', (_what, context) => {
    expect(refusalOf(() => call({}, { 'x-toll-context': context }))).toMatchObject({
      status: 400,
      param: 'X-Toll-Context',
    });
  });

  it('is the key’s project where the key has one, and no other', () => {
    const bound = { ...caller, projectId: 'p1' };
    expect(toChatCall(minimal, {}, bound).purpose).toEqual({ projectId: 'p1' });
    const other = { 'x-toll-project': 'p2' };
    expect(refusalOf(() => toChatCall(minimal, other, bound))).toMatchObject({ status: 403 });
  });
});
