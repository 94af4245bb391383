import { HttpRefusal } from '../http/http-refusal.js';
import type { ChatBody, ChatMessage, ContentPart } from '../chat-completions/chat-body.js';
import type { TextCounter, TextTokens } from './text-counter.js';
import type { TokenRule } from './token-rules.js';

export interface InputBound {
  /** The vendor cannot count more. */
  readonly inputTokens: number;
  /** What it probably counts, for an estimate where it does not say. */
  readonly likelyTokens: number;
}

export const unbounded = (message: string, param: string): HttpRefusal =>
  new HttpRefusal({
    status: 400,
    type: 'invalid_request_error',
    code: 'unbounded',
    message: `${message} It cannot be bounded, so it cannot be reserved.`,
    param,
  });

/**
 * Around each message the vendor puts its role, its name and separators: 3 or 4 tokens where OpenAI
 * documents them, one more for a name. Newer models add a preamble of a few tokens.
 */
const messageTokens = { most: 8, likely: 4 } as const;
const callTokens = { most: 32, likely: 3 } as const;

class Tally {
  most: number = callTokens.most;
  likely: number = callTokens.likely;
  private textMost = 0;
  private textLikely = 0;
  private textBytes = 0;

  constructor(
    private readonly rule: TokenRule,
    private readonly counter: TextCounter,
  ) {}

  text(text: string): void {
    const tokens: TextTokens = this.counter.count(this.rule.encoding, text);
    this.textMost += tokens.most;
    this.textLikely += tokens.likely;
    if (this.rule.factor !== 1) this.textBytes += Buffer.byteLength(text);
  }

  /** JSON that the vendor rewrites before it counts: what it writes is shorter than the JSON. */
  json(value: unknown): void {
    const bytes = Buffer.byteLength(JSON.stringify(value));
    this.most += bytes;
    this.likely += Math.ceil(bytes / 4);
  }

  plain(most: number, likely: number = most): void {
    this.most += most;
    this.likely += likely;
  }

  image(detail: unknown): void {
    const image = this.rule.image;
    if (!image) throw unbounded('This model has no known rule for images.', 'messages');
    this.plain(detail === 'low' ? image.low : image.high);
  }

  result(): InputBound {
    const { factor } = this.rule;
    const scaled =
      factor === 1 ? this.textMost : Math.min(this.textBytes, Math.ceil(this.textMost * factor));
    return { inputTokens: this.most + scaled, likelyTokens: this.likely + this.textLikely };
  }
}

const addPart = (part: ContentPart, tally: Tally): void => {
  switch (part.type) {
    case 'text':
      if (typeof part.text === 'string') tally.text(part.text);
      return;
    case 'refusal':
      if (typeof part.refusal === 'string') tally.text(part.refusal);
      return;
    case 'image_url':
      tally.image(part.image_url?.detail);
      return;
    default:
      throw unbounded(
        `Content of the type "${part.type.slice(0, 40)}" is not supported.`,
        'messages',
      );
  }
};

const addMessage = (message: ChatMessage, tally: Tally): void => {
  tally.plain(messageTokens.most, messageTokens.likely);
  const { content, role, ...rest } = message;
  if (typeof content === 'string') tally.text(content);
  else if (content) for (const part of content) addPart(part, tally);
  if (role.length > 16) tally.text(role);
  // Names, tool calls, ids, reasoning that is sent back.
  for (const name in rest) {
    const value = rest[name];
    if (value !== null && value !== undefined) tally.json(value);
  }
};

/** Fields besides the messages whose text the vendor puts before the model. */
const promptFields = [
  'tools',
  'functions',
  'response_format',
  'tool_choice',
  'function_call',
] as const;

/** @throws HttpRefusal `unbounded` */
export const boundInput = (body: ChatBody, rule: TokenRule, counter: TextCounter): InputBound => {
  const tally = new Tally(rule, counter);
  for (const message of body.messages) addMessage(message, tally);
  for (const field of promptFields) {
    const value = body[field];
    if (value !== undefined && value !== null) tally.json(value);
  }
  if (body.tools !== undefined || body.functions !== undefined) tally.plain(rule.toolsTokens);
  return tally.result();
};
