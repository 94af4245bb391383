import type { ServerDuplexStream } from '@grpc/grpc-js';
import type { Message } from 'google-protobuf';
import anyPb from 'google-protobuf/google/protobuf/any_pb.js';
import emptyPb from 'google-protobuf/google/protobuf/empty_pb.js';
import sharedPb from '@kurrent/kurrentdb-client/generated/kurrentdb/protocols/v1/shared_pb.js';
import statusPb from '@kurrent/kurrentdb-client/generated/kurrentdb/protocols/v1/status_pb.js';
import streamsPb from '@kurrent/kurrentdb-client/generated/kurrentdb/protocols/v1/streams_pb.js';
import type { Check, ExpectedState, NodeLog, ProposedEvent } from './node-log.js';

type Request = streamsPb.BatchAppendReq;
type Call = ServerDuplexStream<Request, streamsPb.BatchAppendResp>;

interface Append {
  readonly options: streamsPb.BatchAppendReq.Options;
  readonly events: ProposedEvent[];
}

/** `BatchAppend`: the appends of one stream each, all on one call, each in one or more messages. */
export const batchAppend =
  (log: NodeLog, onAppend: () => void) =>
  (call: Call): void => {
    const unfinished = new Map<string, Append>();
    call.on('data', (request: Request) => {
      const id = request.getCorrelationId();
      const key = id ? Buffer.from(id.serializeBinary()).toString('hex') : '';
      const options = request.getOptions();
      const append = unfinished.get(key) ?? (options ? { options, events: [] } : undefined);
      if (!append) throw new Error('an append without options');
      append.events.push(...request.getProposedMessagesList().map(proposedOf));
      unfinished.set(key, append);
      if (!request.getIsFinal()) return;
      unfinished.delete(key);
      onAppend();
      const response = answer(log, append);
      response.setCorrelationId(id);
      call.write(response);
    });
    call.on('end', () => call.end());
    call.on('error', () => undefined);
  };

const proposedOf = (message: streamsPb.BatchAppendReq.ProposedMessage): ProposedEvent => ({
  id: message.getId()?.getString() ?? '',
  type: message.getMetadataMap().get('type') ?? '',
  isJson: message.getMetadataMap().get('content-type') === 'application/json',
  data: message.getData_asU8(),
  metadata: message.getCustomMetadata_asU8(),
});

const answer = (log: NodeLog, { options, events }: Append): streamsPb.BatchAppendResp => {
  const identifier = options.getStreamIdentifier();
  const stream = Buffer.from(identifier?.getStreamName_asU8() ?? []).toString('utf8');
  const response = new streamsPb.BatchAppendResp();
  response.setStreamIdentifier(identifier);
  const expected = expectedOf(options);
  const check = log.check(
    stream,
    expected,
    events.map(({ id }) => id),
  );
  if (check.type === 'violated') {
    response.setError(wrongExpectedVersion(expected, check));
    return response;
  }
  let revision = check.type === 'stored before' ? check.revision : -1;
  if (check.type === 'ok') {
    for (const event of events) revision = log.write(stream, event);
    log.wake();
  }
  const success = new streamsPb.BatchAppendResp.Success();
  success.setCurrentRevision(String(revision));
  success.setNoPosition(new emptyPb.Empty());
  response.setSuccess(success);
  return response;
};

const expectedOf = (options: streamsPb.BatchAppendReq.Options): ExpectedState => {
  if (options.hasNoStream()) return -1;
  return options.hasAny() ? -2 : Number(options.getStreamPosition());
};

const wrongExpectedVersion = (
  expected: ExpectedState,
  { actual }: Extract<Check, { type: 'violated' }>,
): statusPb.Status => {
  const details = new sharedPb.WrongExpectedVersion();
  if (actual < 0) details.setCurrentNoStream(new emptyPb.Empty());
  else details.setCurrentStreamRevision(String(actual));
  if (expected === -1) details.setExpectedNoStream(new emptyPb.Empty());
  else details.setExpectedStreamPosition(String(expected));
  const status = new statusPb.Status();
  status.setMessage('WrongExpectedVersion');
  status.setDetails(packed('event_store.client.WrongExpectedVersion', details));
  return status;
};

export const packed = (type: string, message: Message): anyPb.Any => {
  const any = new anyPb.Any();
  any.pack(message.serializeBinary(), type);
  return any;
};
