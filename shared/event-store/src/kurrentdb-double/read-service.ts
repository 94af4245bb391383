import type { ServerWritableStream } from '@grpc/grpc-js';
import sharedPb from '@kurrent/kurrentdb-client/generated/kurrentdb/protocols/v1/shared_pb.js';
import streamsPb from '@kurrent/kurrentdb-client/generated/kurrentdb/protocols/v1/streams_pb.js';
import type { LoggedEvent, NodeLog } from './node-log.js';

type Options = streamsPb.ReadReq.Options;
type Call = ServerWritableStream<streamsPb.ReadReq, streamsPb.ReadResp>;

/** `Read`: a stream or everything, forwards or backwards, once or for ever. */
export const read =
  (log: NodeLog) =>
  (call: Call): void => {
    const options = call.request.getOptions();
    if (!options) throw new Error('a read without options');
    if (options.hasSubscription()) {
      subscribe(log, call, options);
      return;
    }
    const source = options.hasStream() ? readStream(log, options) : readAll(log, options);
    if (!source) {
      const response = new streamsPb.ReadResp();
      const notFound = new streamsPb.ReadResp.StreamNotFound();
      notFound.setStreamIdentifier(options.getStream()?.getStreamIdentifier());
      response.setStreamNotFound(notFound);
      call.write(response);
    } else {
      for (const event of source.slice(0, Number(options.getCount()))) {
        call.write(responseOf(event, options));
      }
    }
    call.end();
  };

const isBackwards = (options: Options): boolean =>
  options.getReadDirection() === streamsPb.ReadReq.Options.ReadDirection.BACKWARDS;

const readStream = (log: NodeLog, options: Options): readonly LoggedEvent[] | undefined => {
  const wanted = options.getStream();
  const name = wanted?.getStreamIdentifier()?.getStreamName_asU8() ?? new Uint8Array();
  const stored = log.stream(Buffer.from(name).toString('utf8'));
  if (stored.length === 0) return undefined;
  const revision = wanted?.hasRevision() ? Number(wanted.getRevision()) : undefined;
  if (!isBackwards(options)) return stored.slice(revision ?? 0);
  return stored.slice(0, revision === undefined ? undefined : revision + 1).reverse();
};

const readAll = (log: NodeLog, options: Options): readonly LoggedEvent[] => {
  const wanted = options.getAll();
  const position = wanted?.hasPosition()
    ? Number(wanted.getPosition()?.getCommitPosition())
    : undefined;
  const passes = filterOf(options);
  if (!isBackwards(options)) return log.events.slice(position ?? 0).filter(passes);
  return log.events.slice(0, position).filter(passes).reverse();
};

const filterOf = (options: Options): ((event: LoggedEvent) => boolean) => {
  const expression = options.getFilter()?.getStreamIdentifier();
  if (!expression) return () => true;
  const pattern = new RegExp(expression.getRegex() || '^', 'u');
  return ({ stream }) => pattern.test(stream);
};

/** Starts after the position, says once that it has caught up, and tells the place it has come to when nothing passes. */
const subscribe = (log: NodeLog, call: Call, options: Options): void => {
  const from = options.getAll();
  const passes = filterOf(options);
  let next = from?.hasPosition() ? Number(from.getPosition()?.getCommitPosition()) + 1 : 0;
  let caughtUp = false;
  const confirmation = new streamsPb.ReadResp();
  const confirmed = new streamsPb.ReadResp.SubscriptionConfirmation();
  confirmed.setSubscriptionId('double');
  confirmation.setConfirmation(confirmed);
  call.write(confirmation);

  const deliver = (): void => {
    let passedOver: LoggedEvent | undefined;
    for (; next < log.events.length; next += 1) {
      const event = log.events[next];
      if (!event) break;
      passedOver = passes(event) ? undefined : event;
      if (!passedOver) call.write(responseOf(event, options));
    }
    if (passedOver) call.write(checkpointAt(passedOver));
    if (caughtUp) return;
    caughtUp = true;
    const response = new streamsPb.ReadResp();
    response.setCaughtUp(new streamsPb.ReadResp.CaughtUp());
    call.write(response);
  };
  deliver();
  const forget = log.onStored(deliver);
  call.on('cancelled', forget);
  call.on('close', forget);
  call.on('error', forget);
};

const checkpointAt = ({ position }: LoggedEvent): streamsPb.ReadResp => {
  const checkpoint = new streamsPb.ReadResp.Checkpoint();
  checkpoint.setCommitPosition(String(position));
  checkpoint.setPreparePosition(String(position));
  const response = new streamsPb.ReadResp();
  response.setCheckpoint(checkpoint);
  return response;
};

const responseOf = (event: LoggedEvent, options: Options): streamsPb.ReadResp => {
  const identifier = new sharedPb.StreamIdentifier();
  identifier.setStreamName(Buffer.from(event.stream));
  const recorded = new streamsPb.ReadResp.ReadEvent.RecordedEvent();
  recorded.setId(idOf(event.id, options));
  recorded.setStreamIdentifier(identifier);
  recorded.setStreamRevision(String(event.revision));
  recorded.setCommitPosition(String(event.position));
  recorded.setPreparePosition(String(event.position));
  const metadata = recorded.getMetadataMap();
  metadata.set('type', event.type);
  metadata.set('content-type', event.isJson ? 'application/json' : 'application/octet-stream');
  metadata.set('created', String(BigInt(event.created.getTime()) * 10_000n));
  recorded.setCustomMetadata(event.metadata);
  recorded.setData(event.data);
  const readEvent = new streamsPb.ReadResp.ReadEvent();
  readEvent.setEvent(recorded);
  readEvent.setCommitPosition(String(event.position));
  const response = new streamsPb.ReadResp();
  response.setEvent(readEvent);
  return response;
};

const idOf = (id: string, options: Options): sharedPb.UUID => {
  const uuid = new sharedPb.UUID();
  if (!options.getUuidOption()?.hasStructured()) {
    uuid.setString(id);
    return uuid;
  }
  const hex = id.replaceAll('-', '');
  const structured = new sharedPb.UUID.Structured();
  structured.setMostSignificantBits(BigInt.asIntN(64, BigInt(`0x${hex.slice(0, 16)}`)).toString());
  structured.setLeastSignificantBits(BigInt.asIntN(64, BigInt(`0x${hex.slice(16)}`)).toString());
  uuid.setStructured(structured);
  return uuid;
};
