import { headers, type NatsConnection } from '@nats-io/transport-node';
import { messageOf } from '@tollkeeper/kernel';
import { NoReplyError, request } from './request.js';

/** JetStream refuses: the stream is missing, full, or not as it was asked for. */
export class StreamError extends Error {
  override readonly name = 'StreamError';
}

interface ApiReply {
  readonly error?: { readonly description?: string };
}

/** As JetStream's API has it; only what the callers set. Durations in nanoseconds. */
export interface StreamConfig {
  readonly name: string;
  readonly subjects: readonly string[];
  readonly [setting: string]: unknown;
}

/** Creates the stream, or brings an existing one to this configuration. @throws StreamError, NoReplyError */
export const ensureStream = async (nats: NatsConnection, config: StreamConfig): Promise<void> => {
  const ask = async (verb: string): Promise<ApiReply> => {
    const subject = `$JS.API.STREAM.${verb}.${config.name}`;
    return (await request(nats, subject, config, { timeoutMs: 5_000 })) as ApiReply;
  };
  const created = await ask('CREATE');
  if (!created.error) return;
  const updated = await ask('UPDATE');
  if (updated.error) throw new StreamError(updated.error.description ?? 'the stream was refused');
};

export interface StreamMessage {
  readonly subject: string;
  /** JSON. */
  readonly body: string;
  /** Twice within the stream's duplicate window, it is stored once. */
  readonly id: string;
}

/** Resolves when the stream has stored the message, or has had it before. @throws StreamError, NoReplyError */
export const publishStored = async (
  nats: NatsConnection,
  { subject, body, id }: StreamMessage,
  timeoutMs: number,
): Promise<void> => {
  const fields = headers();
  fields.set('Nats-Msg-Id', id);
  const reply = await nats
    .request(subject, body, { timeout: timeoutMs, headers: fields })
    .catch((error: unknown) => {
      throw new NoReplyError(`${subject}: ${messageOf(error)}`, { cause: error });
    });
  const { error } = reply.json<ApiReply>();
  if (error) throw new StreamError(`${subject}: ${error.description ?? 'not stored'}`);
};
