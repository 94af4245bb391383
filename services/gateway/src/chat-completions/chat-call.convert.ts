import type { IncomingHttpHeaders } from 'node:http';
import { forbidden, invalidRequest } from '../http/http-refusal.js';
import { unbounded } from '../bounds/input-bound.js';
import type { Caller } from '../identity/api-key.store.js';
import { passedOn, unboundedFields, type ChatBody } from './chat-body.js';
import { readPurpose, type Purpose } from './purpose.convert.js';

type LimitField = 'max_tokens' | 'max_completion_tokens';

/** One completion as it was asked for. */
export interface ChatCall {
  readonly body: ChatBody;
  /** First choice first. */
  readonly models: readonly string[];
  readonly stream: boolean;
  /** The client wants `usage` in its stream. */
  readonly usageAsked: boolean;
  readonly choices: number;
  /** Undefined where the client set no limit. */
  readonly outputLimit: { readonly field: LimitField; readonly tokens: number } | undefined;
  readonly shrinkAllowed: boolean;
  readonly serviceTier: string | undefined;
  readonly purpose: Purpose;
  readonly correlationId: string | undefined;
}

const fallbacksMax = 7;
const modelLengthMax = 160;
const correlationPattern = /^[\x21-\x7e]{1,128}$/;

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const checkMessages = (messages: unknown): void => {
  if (!Array.isArray(messages) || messages.length === 0) {
    throw invalidRequest('`messages` must be a list of at least one message.', 'messages');
  }
  for (const message of messages as unknown[]) {
    if (!isRecord(message) || typeof message['role'] !== 'string') {
      throw invalidRequest('Each message must be an object with a `role`.', 'messages');
    }
    const content = message['content'];
    if (content === undefined || content === null || typeof content === 'string') continue;
    if (!Array.isArray(content)) {
      throw invalidRequest('`content` must be a text or a list of parts.', 'messages');
    }
    for (const part of content as unknown[]) {
      if (!isRecord(part) || typeof part['type'] !== 'string') {
        throw invalidRequest('Each part of `content` must be an object with a `type`.', 'messages');
      }
    }
  }
};

const checkFields = (body: Record<string, unknown>): void => {
  for (const name in body) {
    if (passedOn.has(name)) continue;
    const why = unboundedFields[name];
    if (why !== undefined && Object.hasOwn(unboundedFields, name)) throw unbounded(why, name);
    throw invalidRequest(
      `Unrecognized request argument supplied: ${name.slice(0, 64)}`,
      name.slice(0, 64),
      'unknown_parameter',
    );
  }
};

const checkTools = (tools: unknown): void => {
  if (tools === undefined || tools === null) return;
  if (!Array.isArray(tools)) throw invalidRequest('`tools` must be a list.', 'tools');
  for (const tool of tools as unknown[]) {
    const type = isRecord(tool) ? tool['type'] : undefined;
    if (type !== 'function' && type !== 'custom') {
      throw unbounded('Tools that the vendor runs by itself are billed by the use.', 'tools');
    }
  }
};

const checkModalities = (modalities: unknown): void => {
  if (modalities === undefined || modalities === null) return;
  const textOnly = Array.isArray(modalities) && modalities.every((each) => each === 'text');
  if (!textOnly) throw unbounded('Output other than text is billed by other tokens.', 'modalities');
};

const optional = <T>(
  body: Record<string, unknown>,
  name: string,
  is: (value: unknown) => value is T,
  rule: string,
): T | undefined => {
  const value = body[name];
  if (value === undefined || value === null) return undefined;
  if (!is(value)) throw invalidRequest(`\`${name}\` must be ${rule}.`, name);
  return value;
};

const isBoolean = (value: unknown): value is boolean => typeof value === 'boolean';
const isString = (value: unknown): value is string => typeof value === 'string';
const within =
  (least: number, most: number) =>
  (value: unknown): value is number =>
    Number.isInteger(value) && (value as number) >= least && (value as number) <= most;
const isChoices = within(1, 128);
const isLimit = within(1, 10_000_000);

const readLimit = (body: Record<string, unknown>): ChatCall['outputLimit'] => {
  const rule = 'a whole number from 1 to 10000000';
  const newer = optional(body, 'max_completion_tokens', isLimit, rule);
  const older = optional(body, 'max_tokens', isLimit, rule);
  if (newer !== undefined && older !== undefined) {
    throw invalidRequest(
      'Set `max_completion_tokens` or `max_tokens`, not both.',
      'max_completion_tokens',
    );
  }
  if (newer !== undefined) return { field: 'max_completion_tokens', tokens: newer };
  return older === undefined ? undefined : { field: 'max_tokens', tokens: older };
};

const readModels = (body: Record<string, unknown>, fallback: string | undefined): string[] => {
  const model = body['model'];
  if (typeof model !== 'string' || model === '' || model.length > modelLengthMax) {
    throw invalidRequest('`model` must be the name of a model.', 'model');
  }
  if (fallback === undefined) return [model];
  const others = fallback
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '');
  if (others.length > fallbacksMax || others.some((name) => name.length > modelLengthMax)) {
    throw invalidRequest(
      `X-Toll-Fallback must name at most ${String(fallbacksMax)} models.`,
      'X-Toll-Fallback',
    );
  }
  return [model, ...others];
};

const readUsageAsked = (body: Record<string, unknown>, stream: boolean): boolean => {
  const options = optional(body, 'stream_options', isRecord, 'an object');
  if (options === undefined) return false;
  if (!stream) {
    throw invalidRequest('`stream_options` is only allowed with `stream`.', 'stream_options');
  }
  return optional(options, 'include_usage', isBoolean, 'true or false') === true;
};

/** A header that came twice is joined by node:http with `, `; a list where it may repeat. */
export const headerOf = (headers: IncomingHttpHeaders, name: string): string | undefined => {
  const value = headers[name];
  return typeof value === 'string' ? value : undefined;
};

const checkProject = (purpose: Purpose, caller: Caller): Purpose => {
  if (caller.projectId === undefined) return purpose;
  if (purpose.projectId !== undefined && purpose.projectId !== caller.projectId) {
    throw forbidden('This API key belongs to another project.', 'wrong_project');
  }
  return { ...purpose, projectId: caller.projectId };
};

/** @throws HttpRefusal 400 naming the field that is wrong */
export const toChatCall = (
  body: unknown,
  headers: IncomingHttpHeaders,
  caller: Caller,
): ChatCall => {
  if (!isRecord(body)) throw invalidRequest('The body must be a JSON object.');
  checkFields(body);
  checkMessages(body['messages']);
  checkTools(body['tools']);
  checkModalities(body['modalities']);
  const stream = optional(body, 'stream', isBoolean, 'true or false') === true;
  const correlationId = headerOf(headers, 'x-request-id');
  return {
    body: body as unknown as ChatBody,
    models: readModels(body, headerOf(headers, 'x-toll-fallback')),
    stream,
    usageAsked: readUsageAsked(body, stream),
    choices: optional(body, 'n', isChoices, 'a whole number from 1 to 128') ?? 1,
    outputLimit: readLimit(body),
    shrinkAllowed: headerOf(headers, 'x-toll-shrink') === 'allow',
    serviceTier: optional(body, 'service_tier', isString, 'a text')?.slice(0, 32),
    purpose: checkProject(readPurpose(headers, body['metadata']), caller),
    correlationId:
      correlationId !== undefined && correlationPattern.test(correlationId)
        ? correlationId
        : undefined,
  };
};
