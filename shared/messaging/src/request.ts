import {
  errors,
  headers as natsHeaders,
  type MsgHdrs,
  type NatsConnection,
} from '@nats-io/transport-node';
import { messageOf } from '@tollkeeper/kernel';

/** No usable answer came: the command may or may not have been carried out. Retry it with the same id. */
export class NoReplyError extends Error {
  override readonly name: string = 'NoReplyError';
}

/** Nobody serves the subject at the moment: the command was surely not carried out. */
export class NoResponderError extends NoReplyError {
  override readonly name = 'NoResponderError';
}

export interface RequestOptions {
  readonly timeoutMs: number;
  readonly headers?: Readonly<Record<string, string>>;
}

const toHeaders = (fields: Readonly<Record<string, string>>): MsgHdrs => {
  const made = natsHeaders();
  for (const [name, value] of Object.entries(fields)) made.set(name, value);
  return made;
};

export const isNoResponders = (error: unknown): boolean =>
  error instanceof errors.NoRespondersError || messageOf(error).includes('no responders');

/** One request, one JSON answer, always with a deadline. @throws NoReplyError, NoResponderError */
export const request = async (
  nats: NatsConnection,
  subject: string,
  body: unknown,
  options: RequestOptions,
): Promise<unknown> => {
  try {
    const reply = await nats.request(subject, JSON.stringify(body), {
      timeout: options.timeoutMs,
      ...(options.headers ? { headers: toHeaders(options.headers) } : {}),
    });
    return reply.json<unknown>();
  } catch (error) {
    if (isNoResponders(error)) {
      throw new NoResponderError(`nobody serves ${subject}`, { cause: error });
    }
    throw new NoReplyError(`${subject}: ${messageOf(error)}`, { cause: error });
  }
};
