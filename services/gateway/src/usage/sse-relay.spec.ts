import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { EventTooLongError, SseRelay, type SseSummary } from './sse-relay.js';

const event = (fields: object): string => `data: ${JSON.stringify(fields)}\n\n`;
const delta = (content: string, usage?: unknown): string =>
  event({
    id: 'c1',
    model: 'gpt-4o-2024-11-20',
    choices: [{ index: 0, delta: { content }, finish_reason: null }],
    ...(usage === undefined ? {} : { usage }),
  });
const usage = { prompt_tokens: 9, completion_tokens: 2, total_tokens: 11 };
const last = event({
  id: 'c1',
  model: 'gpt-4o-2024-11-20',
  service_tier: 'default',
  choices: [],
  usage,
});
const done = 'data: [DONE]\n\n';

/** Cut into pieces of at most so many bytes. */
const relayed = (
  stream: string,
  usageAsked: boolean,
  pieceBytes = 1_000_000,
): { text: string; summary: SseSummary } => {
  const relay = new SseRelay(usageAsked);
  const bytes = Buffer.from(stream, 'utf8');
  let out = '';
  for (let at = 0; at < bytes.length; at += pieceBytes) {
    out += relay.push(bytes.subarray(at, at + pieceBytes));
  }
  out += relay.finish();
  return { text: Buffer.from(out, 'latin1').toString('utf8'), summary: relay.summary };
};

const openAi = delta('Grüße', null) + delta(' 世界 "quoted" \\', null) + last + done;

describe('a stream that passes through', () => {
  it('looks, to a client that did not ask for usage, as if nobody had', () => {
    const { text, summary } = relayed(openAi, false);
    expect(text).toBe(delta('Grüße') + delta(' 世界 "quoted" \\'));
    expect(summary).toMatchObject({
      usage,
      id: 'c1',
      model: 'gpt-4o-2024-11-20',
      serviceTier: 'default',
      done: true,
    });
  });

  it('is unchanged for a client that asked, but for its end, which is kept back', () => {
    const { text, summary } = relayed(openAi, true);
    expect(text).toBe(delta('Grüße', null) + delta(' 世界 "quoted" \\', null));
    expect(summary.heldEvent).toMatchObject({ choices: [], usage });
  });

  it('comes out the same however it is cut into pieces', () => {
    const size = fc.integer({ min: 1, max: 200 });
    fc.assert(
      fc.property(size, fc.boolean(), (pieceBytes, asked) => {
        const whole = relayed(openAi, asked);
        const cut = relayed(openAi, asked, pieceBytes);
        expect(cut.text).toBe(whole.text);
        expect(cut.summary).toEqual(whole.summary);
      }),
    );
  });

  it('does not take an empty list of choices for the usage (Azure’s first chunk)', () => {
    const first = event({
      id: '',
      object: '',
      model: '',
      choices: [],
      prompt_filter_results: [{ prompt_index: 0, content_filter_results: {} }],
    });
    const { text, summary } = relayed(first + delta('a') + last + done, false);
    expect(text).toBe(first + delta('a'));
    expect(summary).toMatchObject({ id: 'c1', model: 'gpt-4o-2024-11-20', usage });
  });

  it('passes comments on (OpenRouter)', () => {
    const comment = ': OPENROUTER PROCESSING\n\n';
    const { text, summary } = relayed(comment + delta('a') + comment + last + done, false);
    expect(text).toBe(comment + delta('a') + comment);
    expect(summary.usage).toEqual(usage);
  });

  it('takes the last of usages that count up, and adds nothing together (Gemini, xAI)', () => {
    const stream =
      delta('a', { prompt_tokens: 9, completion_tokens: 1 }) + delta('b', usage) + done;
    expect(relayed(stream, false)).toMatchObject({
      text: delta('a') + delta('b'),
      summary: { usage },
    });
    const asked = relayed(stream, true);
    expect(asked.text).toBe(delta('a', { prompt_tokens: 9, completion_tokens: 1 }));
    expect(asked.summary.heldEvent).toMatchObject({
      usage,
      choices: [{ delta: { content: 'b' } }],
    });
  });

  it('keeps the words that an event with usage carries', () => {
    const { text } = relayed(delta('the end', usage) + done, false);
    expect(text).toBe(delta('the end'));
  });

  it('reads line ends of both kinds', () => {
    const crlf = openAi.replaceAll('\n', '\r\n');
    const { text, summary } = relayed(crlf, false, 7);
    expect(text).toBe((delta('Grüße') + delta(' 世界 "quoted" \\')).replaceAll('\n', '\r\n'));
    expect(summary.usage).toEqual(usage);
    expect(summary.done).toBe(true);
  });

  it('is not fooled by words that look like usage', () => {
    const words = delta('say "usage":null and "usage":{"prompt_tokens":1} and [DONE]');
    expect(relayed(words + last + done, false).text).toBe(words);
  });

  it('measures what was written, for a vendor that does not report', () => {
    const stream = delta('abcd') + delta('efgh') + event({ choices: [{ delta: { content: '' } }] });
    const { summary } = relayed(stream, false);
    expect(summary).toMatchObject({
      usage: undefined,
      done: false,
      outputBytes: 8,
      outputEvents: 2,
    });
  });

  it('measures text with escapes, tool calls and JSON with spaces', () => {
    const stream =
      'data: {"choices": [{"delta": {"content": "say \\"hi\\""}}]}\n\n' +
      event({ choices: [{ delta: { tool_calls: [{ function: { arguments: '{"a":1}' } }] } }] });
    const { summary } = relayed(stream, false);
    expect(summary.outputEvents).toBe(2);
    expect(summary.outputBytes).toBe('say \\"hi\\"'.length + '{\\"a\\":1}'.length);
  });

  it('forwards nothing after the end mark', () => {
    expect(relayed(delta('a') + done + delta('b') + done, false).text).toBe(delta('a'));
  });

  it('is broken off at an event without an end', () => {
    const relay = new SseRelay(false);
    expect(() => {
      for (let each = 0; each < 100; each++) relay.push(Buffer.alloc(1 << 20, 'a'));
    }).toThrow(EventTooLongError);
  });
});
