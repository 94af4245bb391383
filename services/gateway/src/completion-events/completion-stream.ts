import { completionSubjects } from '@tollkeeper/contracts';
import { ensureStream, type NatsConnection } from '@tollkeeper/messaging';

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

/** Creates the stream, or brings an existing one to this configuration. */
export const ensureCompletionStream = (nats: NatsConnection): Promise<void> =>
  ensureStream(nats, config);
