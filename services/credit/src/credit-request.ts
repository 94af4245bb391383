import { text } from '@tollkeeper/contracts';
import { commandHashOf } from '@tollkeeper/events';
import { canonicalJson, uuidv7, type Json } from '@tollkeeper/kernel';
import type { z } from 'zod';
import type { Submission } from './application/submission.js';
import type { CreditCommand } from './domain/credit-account/commands.js';

/** What every message to this service has in common: a checked body, ids, and the hash of what it asks for. */

/** Ids that came beside the body, in headers. */
export interface Envelope {
  readonly commandId: string | undefined;
  readonly correlationId: string | undefined;
  readonly causationId: string | undefined;
  readonly actor: string | undefined;
}

export type Request = Omit<Submission, 'resolve'>;
export type Converter = (raw: unknown, envelope: Envelope) => Request;

/** A body that the contract does not allow: told to the caller in its own words. */
export class InvalidRequest extends Error {
  override readonly name = 'InvalidRequest';
}

interface Identified {
  readonly commandId?: string | undefined;
  readonly correlationId?: string | undefined;
  readonly deadlineAt?: string | undefined;
}

/** The body as the contract understands it; throws InvalidRequest. */
export const parse = <S extends z.ZodType>(schema: S, body: unknown): z.output<S> => {
  const result = schema.safeParse(body);
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  const where = issue && issue.path.length > 0 ? `${issue.path.join('.')}: ` : '';
  throw new InvalidRequest(`${where}${issue?.message ?? 'not as the contract says'}`);
};

/** Not part of what is asked for: a retry may come with other ones. */
const incidental = new Set(['commandId', 'correlationId', 'deadlineAt', 'requestStartedAt']);

/** What a command asks for, without its ids, times and traces: the same text is the same request. */
const hashOf = (type: string, fields: object): string => {
  const meaning: Record<string, Json> = { type };
  for (const [name, value] of Object.entries(fields)) {
    if (!incidental.has(name)) meaning[name] = value as Json;
  }
  return commandHashOf(canonicalJson(meaning));
};

export const identify = (type: string, body: Identified & object, envelope: Envelope) => ({
  commandId: envelope.commandId ?? body.commandId ?? uuidv7(),
  commandHash: hashOf(type, body),
});

/** As the contract bounds a body's correlation id: these are stored with each event, too. */
const headerText = text.max(128);

const headerOf = (envelope: Envelope, name: 'correlationId' | 'causationId' | 'actor') => {
  const value = envelope[name];
  if (value === undefined || headerText.safeParse(value).success) return value;
  throw new InvalidRequest(`${name}: a text of 128 characters at most`);
};

/** Throws InvalidRequest. */
export const requestOf = (
  command: CreditCommand,
  body: Identified,
  envelope: Envelope,
  urgent: boolean,
  answer: Submission['answer'],
): Request => ({
  command,
  urgent,
  deadlineAtMs: body.deadlineAt === undefined ? undefined : Date.parse(body.deadlineAt),
  correlationId: headerOf(envelope, 'correlationId') ?? body.correlationId,
  causationId: headerOf(envelope, 'causationId'),
  actor: headerOf(envelope, 'actor') ?? 'unknown',
  answer,
});

/** A look at the account: no command, nothing is stored. Shed as a reserve is: nothing is lost with it. */
export const lookRequest = (answer: Submission['answer']): Request => ({
  command: undefined,
  urgent: false,
  deadlineAtMs: undefined,
  correlationId: undefined,
  causationId: undefined,
  actor: 'reader',
  answer,
});
