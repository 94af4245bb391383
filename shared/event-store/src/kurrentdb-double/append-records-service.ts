import { Metadata, status, type ServerUnaryCall, type sendUnaryData } from '@grpc/grpc-js';
import type { Message } from 'google-protobuf';
import errorsPb from '@kurrent/kurrentdb-client/generated/kurrentdb/protocols/v2/streams/errors_pb.js';
import statusPb from '@kurrent/kurrentdb-client/generated/kurrentdb/protocols/v1/status_pb.js';
import streamsPb from '@kurrent/kurrentdb-client/generated/kurrentdb/protocols/v2/streams/streams_pb.js';
import { packed } from './append-service.js';
import type { ExpectedState, NodeLog, ProposedEvent } from './node-log.js';

/** What the double makes go wrong, in place of an answer. */
export type Fault = 'no answer' | 'not the leader';

export interface AppendRecordsOptions {
  /** Told of each call that is carried out or refused, with its number of streams. */
  readonly onCall: (streams: number) => void;
  readonly fault: () => Fault | undefined;
  readonly appendBytesMax: number;
}

type Call = ServerUnaryCall<streamsPb.AppendRecordsRequest, streamsPb.AppendRecordsResponse>;
type Callback = sendUnaryData<streamsPb.AppendRecordsResponse>;

interface Target {
  readonly stream: string;
  readonly expected: ExpectedState;
  readonly events: ProposedEvent[];
}

class Refusal extends Error {
  constructor(
    readonly code: status,
    message: string,
    readonly details?: [name: string, message: Message],
  ) {
    super(message);
  }
}

/**
 * `AppendRecords` as KurrentDB 26.1 carries it out: all or
 * nothing; streams are told apart without regard to case; a mix of what was stored before and what was not is a
 * violation of each of the former; properties come back as JSON metadata beside `$schema.name` and `$schema.format`.
 */
export const appendRecords =
  (log: NodeLog, options: AppendRecordsOptions) =>
  ({ request }: Call, callback: Callback): void => {
    try {
      const targets = targetsOf(request);
      options.onCall(targets.length);
      const fault = options.fault();
      if (fault === 'not the leader') {
        throw new Refusal(status.FAILED_PRECONDITION, 'not the leader');
      }
      checkSize(targets, options.appendBytesMax);
      const response = commit(log, targets);
      if (fault !== 'no answer') callback(null, response);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      const { code, message, details } = error;
      callback({
        code,
        details: message,
        metadata: details ? detailed(...details) : new Metadata(),
      });
    }
  };

const targetsOf = (request: streamsPb.AppendRecordsRequest): Target[] => {
  const records = request.getRecordsList();
  if (records.length === 0) throw new Refusal(status.INVALID_ARGUMENT, 'no records');
  const targets = new Map<string, Target>();
  for (const check of request.getChecksList()) {
    const stream = check.getStreamState()?.getStream() ?? '';
    const expected = Number(check.getStreamState()?.getExpectedState());
    if (targets.has(stream.toUpperCase()) || expected === -2) {
      throw new Refusal(status.INVALID_ARGUMENT, 'a stream twice, or any');
    }
    targets.set(stream.toUpperCase(), { stream, expected, events: [] });
  }
  for (const record of records) {
    const stream = record.getStream();
    const target = targets.get(stream.toUpperCase()) ?? { stream, expected: -2, events: [] };
    target.events.push(eventOf(record));
    targets.set(stream.toUpperCase(), target);
  }
  return [...targets.values()];
};

const checkSize = (targets: readonly Target[], bytesMax: number): void => {
  let bytes = 0;
  for (const { data, metadata, type } of targets.flatMap(({ events }) => events)) {
    bytes += data.length + metadata.length + type.length;
  }
  if (bytes <= bytesMax) return;
  const details = new errorsPb.AppendTransactionSizeExceededErrorDetails();
  details.setSize(bytes);
  details.setMaxSize(bytesMax);
  throw new Refusal(status.ABORTED, 'too large', ['AppendTransactionSizeExceeded', details]);
};

const commit = (log: NodeLog, targets: readonly Target[]): streamsPb.AppendRecordsResponse => {
  const response = new streamsPb.AppendRecordsResponse();
  const checks = targets.map(({ stream, expected, events }) =>
    log.check(
      stream,
      expected,
      events.map(({ id }) => id),
    ),
  );
  const storedBefore = checks.every(({ type }) => type === 'stored before');
  if (!storedBefore && checks.some(({ type }) => type !== 'ok')) {
    const details = new errorsPb.AppendConsistencyViolationErrorDetails();
    for (const [index, check] of checks.entries()) {
      const target = targets[index];
      if (!target || check.type === 'ok') continue;
      const state = new errorsPb.ConsistencyViolation.StreamStateViolation();
      state.setStream(target.stream);
      state.setExpectedState(String(target.expected));
      state.setActualState(String(log.stream(target.stream).length - 1));
      const violation = new errorsPb.ConsistencyViolation();
      violation.setCheckIndex(index);
      violation.setStreamState(state);
      details.addViolations(violation);
    }
    throw new Refusal(status.FAILED_PRECONDITION, 'violated', [
      'AppendConsistencyViolation',
      details,
    ]);
  }
  for (const [index, { stream, events }] of targets.entries()) {
    const check = checks[index];
    let revision = check?.type === 'stored before' ? check.revision : -1;
    if (check?.type === 'ok') for (const event of events) revision = log.write(stream, event);
    const place = new streamsPb.StreamRevision();
    place.setStream(stream);
    place.setRevision(String(revision));
    response.addRevisions(place);
  }
  response.setPosition(String(log.events.length - 1));
  log.wake();
  return response;
};

const eventOf = (record: streamsPb.AppendRecord): ProposedEvent => {
  const type = record.getSchema()?.getName() ?? '';
  const isJson = record.getSchema()?.getFormat() === streamsPb.SchemaFormat.SCHEMA_FORMAT_JSON;
  const metadata: Record<string, unknown> = {};
  record.getPropertiesMap().forEach((value, key) => {
    metadata[key] = value.getStringValue();
  });
  metadata['$schema.format'] = isJson ? 'Json' : 'Bytes';
  metadata['$schema.name'] = type;
  return {
    id: record.getRecordId() ?? '',
    type,
    isJson,
    data: record.getData_asU8(),
    metadata: new TextEncoder().encode(JSON.stringify(metadata)),
  };
};

/** A google.rpc.Status with the one detail that the client looks at. */
const detailed = (name: string, detail: Message): Metadata => {
  const rpcStatus = new statusPb.Status();
  rpcStatus.setDetails(packed(`kurrentdb.protocol.v2.streams.errors.${name}ErrorDetails`, detail));
  const metadata = new Metadata();
  metadata.set('grpc-status-details-bin', Buffer.from(rpcStatus.serializeBinary()));
  return metadata;
};
