import { completionSubjects } from '@tollkeeper/contracts';
import { request, type NatsConnection } from '@tollkeeper/messaging';

const { stream } = completionSubjects;

const config = {
  name: stream,
  subjects: ['completion.v1.>'],
  retention: 'limits',
  // In memory: a copy of what the ledger tells, so an fsync for each would buy nothing.
  storage: 'memory',
  discard: 'old',
  max_age: 3_600_000_000_000,
  max_bytes: 32 << 20,
  max_msg_size: 4_096,
  num_replicas: 1,
};

interface ApiReply {
  readonly error?: { readonly err_code?: number; readonly description?: string };
}

/** Creates the stream, or brings an existing one to this configuration. */
export const ensureCompletionStream = async (nats: NatsConnection): Promise<void> => {
  const options = { timeoutMs: 5_000 };
  const created = (await request(
    nats,
    `$JS.API.STREAM.CREATE.${stream}`,
    config,
    options,
  )) as ApiReply;
  if (!created.error) return;
  const updated = (await request(
    nats,
    `$JS.API.STREAM.UPDATE.${stream}`,
    config,
    options,
  )) as ApiReply;
  if (updated.error) throw new Error(updated.error.description ?? 'the stream was refused');
};
