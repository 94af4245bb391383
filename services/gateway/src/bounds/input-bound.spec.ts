import { describe, expect, it } from 'vitest';
import type { ChatBody, ContentPart } from '../chat-completions/chat-body.js';
import { refusalOf } from '../http/refusal-of.fixture.js';
import { boundInput } from './input-bound.js';
import { TextCounter } from './text-counter.js';
import { tokenRuleOf } from './token-rules.js';

const counter = new TextCounter();
const gpt4o = tokenRuleOf('openai', 'gpt-4o');
const body = (fields: Partial<ChatBody>): ChatBody => ({
  model: 'gpt-4o',
  messages: [],
  ...fields,
});
const user = (content: ChatBody['messages'][number]['content']): ChatBody =>
  body({ messages: [{ role: 'user', content: content ?? null }] });

describe('the bound of the input', () => {
  it('covers OpenAI’s own example of counting messages', () => {
    // From the OpenAI cookbook, "How to count tokens": 124 prompt tokens for gpt-4o.
    const messages = [
      {
        role: 'system',
        content:
          'You are a helpful, pattern-following assistant that translates corporate jargon into plain English.',
      },
      {
        role: 'system',
        name: 'example_user',
        content: 'New synergies will help drive top-line growth.',
      },
      {
        role: 'system',
        name: 'example_assistant',
        content: 'Things working well together will increase revenue.',
      },
      {
        role: 'system',
        name: 'example_user',
        content:
          "Let's circle back when we have more bandwidth to touch base on opportunities for increased leverage.",
      },
      {
        role: 'system',
        name: 'example_assistant',
        content: "Let's talk later when we're less busy about how to do better.",
      },
      {
        role: 'user',
        content:
          "This late pivot means we don't have time to boil the ocean for the client deliverable.",
      },
    ];
    const bound = boundInput(body({ messages }), gpt4o, counter);
    expect(bound.inputTokens).toBeGreaterThanOrEqual(124);
    expect(bound.inputTokens).toBeLessThan(124 * 2);
    expect(bound.likelyTokens).toBeLessThan(bound.inputTokens);
  });

  it('grows with every message and with tools, which are counted by their bytes', () => {
    const one = boundInput(user('hello'), gpt4o, counter).inputTokens;
    const tools = [{ type: 'function', function: { name: 'f', parameters: { type: 'object' } } }];
    const withTools = boundInput({ ...user('hello'), tools }, gpt4o, counter).inputTokens;
    expect(withTools).toBeGreaterThanOrEqual(one + JSON.stringify(tools).length);
  });

  it('counts tool calls and other fields of messages that are sent back', () => {
    const call = { id: 'c1', type: 'function', function: { name: 'f', arguments: '{"a":1}' } };
    const plain = body({ messages: [{ role: 'assistant', content: null }] });
    const calling = body({ messages: [{ role: 'assistant', content: null, tool_calls: [call] }] });
    expect(boundInput(calling, gpt4o, counter).inputTokens).toBeGreaterThan(
      boundInput(plain, gpt4o, counter).inputTokens + 40,
    );
  });

  it('is larger for a tokenizer that is not public, and not beyond the bytes', () => {
    const text = 'The quick brown fox jumps over the lazy dog. '.repeat(20);
    const claude = tokenRuleOf('anthropic', 'claude-sonnet-4-5');
    const public_ = boundInput(user(text), gpt4o, counter).inputTokens;
    const private_ = boundInput(user(text), claude, counter).inputTokens;
    expect(private_).toBeGreaterThan(public_ * 1.4);
    expect(private_).toBeLessThanOrEqual(Buffer.byteLength(text) + 64);
  });

  it.each([
    ['openai', 'gpt-4o', 'low', 85],
    ['openai', 'gpt-4o', 'high', 85 + 8 * 170],
    ['openai', 'gpt-4o', undefined, 85 + 8 * 170],
    ['openai', 'gpt-4o-mini', 'high', 2_833 + 8 * 5_667],
    ['azure', 'gpt-4.1-nano', 'auto', 3_779],
    ['anthropic', 'claude-sonnet-4-5', 'low', 4_800],
  ])('takes the dearest image of %s %s at detail %s', (provider, model, detail, tokens) => {
    const rule = tokenRuleOf(provider, model);
    const part = { type: 'image_url', image_url: { url: 'data:,', detail } };
    const bound = boundInput(user([part]), rule, counter).inputTokens;
    const empty = boundInput(user([]), rule, counter).inputTokens;
    expect(bound - empty).toBe(tokens);
  });

  it.each<[string, string, ContentPart]>([
    ['an image where no rule is known', 'deepseek', { type: 'image_url' }],
    ['audio', 'openai', { type: 'input_audio' }],
    ['a file', 'openai', { type: 'file' }],
  ])('is refused for %s', (_what, provider, part) => {
    const rule = tokenRuleOf(provider, provider === 'openai' ? 'gpt-4o' : 'deepseek-chat');
    expect(refusalOf(() => boundInput(user([part]), rule, counter))).toMatchObject({
      code: 'unbounded',
      status: 400,
    });
  });

  it('takes less than 50 µs for a short prompt', () => {
    const short = user('What is the capital of France, and why is it so?');
    const times: number[] = [];
    for (let each = 0; each < 2_000; each++) {
      const started = performance.now();
      boundInput(short, gpt4o, counter);
      times.push(performance.now() - started);
    }
    times.sort((a, b) => a - b);
    expect(times[1_000]).toBeLessThan(0.05);
  });
});
