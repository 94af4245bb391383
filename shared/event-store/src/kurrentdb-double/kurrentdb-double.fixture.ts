import { Server, ServerCredentials, type handleUnaryCall } from '@grpc/grpc-js';
import type sharedPb from '@kurrent/kurrentdb-client/generated/kurrentdb/protocols/v1/shared_pb.js';
import featuresPb from '@kurrent/kurrentdb-client/generated/kurrentdb/protocols/v1/serverfeatures_pb.js';
import featuresGrpc from '@kurrent/kurrentdb-client/generated/kurrentdb/protocols/v1/serverfeatures_grpc_pb.js';
import streamsV1Grpc from '@kurrent/kurrentdb-client/generated/kurrentdb/protocols/v1/streams_grpc_pb.js';
import streamsV2Grpc from '@kurrent/kurrentdb-client/generated/kurrentdb/protocols/v2/streams/streams_grpc_pb.js';
import { appendRecords, type Fault } from './append-records-service.js';
import { batchAppend } from './append-service.js';
import { NodeLog } from './node-log.js';
import { read } from './read-service.js';

export interface KurrentdbDouble {
  readonly url: string;
  readonly log: NodeLog;
  /** Numbers of streams of the `AppendRecords` calls that came with records. */
  readonly merged: number[];
  /** Appends to one stream. */
  singles: number;
  /** What goes wrong with every `AppendRecords` from now on. */
  fault: Fault | undefined;
  readonly stop: () => Promise<void>;
}

export interface KurrentdbDoubleOptions {
  /** False for a node before 26.1. */
  readonly hasAppendRecords?: boolean;
  readonly appendBytesMax?: number;
}

/**
 * Speaks the client's own protocol over a real socket and keeps everything in memory: what a test needs that must see what the
 * adapter sends, or make a node refuse what a real one cannot be made to refuse. It is no proof of what a real node does.
 */
export const startKurrentdbDouble = async ({
  hasAppendRecords = true,
  appendBytesMax = 1024 * 1024,
}: KurrentdbDoubleOptions = {}): Promise<KurrentdbDouble> => {
  const log = new NodeLog();
  const server = new Server({ 'grpc.max_receive_message_length': -1 });
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) =>
      error ? reject(error) : resolve(bound),
    );
  });
  const double: KurrentdbDouble = {
    url: `kurrentdb://127.0.0.1:${String(port)}?tls=false`,
    log,
    merged: [],
    singles: 0,
    fault: undefined,
    stop: () => {
      server.forceShutdown();
      return Promise.resolve();
    },
  };
  const { StreamsService } = streamsV1Grpc;
  const { StreamsServiceService } = streamsV2Grpc;
  server.addService(only(StreamsService, ['read', 'batchAppend']), {
    read: read(log),
    batchAppend: batchAppend(log, () => (double.singles += 1)),
  });
  if (hasAppendRecords) {
    server.addService(only(StreamsServiceService, ['appendRecords']), {
      appendRecords: appendRecords(log, {
        onCall: (streams) => double.merged.push(streams),
        fault: () => double.fault,
        appendBytesMax,
      }),
    });
  }
  const supported = new featuresPb.SupportedMethods();
  supported.setEventStoreServerVersion(hasAppendRecords ? '26.1.0' : '25.1.0');
  const paths: string[] = [StreamsService.read.path, StreamsService.batchAppend.path];
  if (hasAppendRecords) paths.push(StreamsServiceService.appendRecords.path);
  for (const path of paths) {
    const [, service = '', method = ''] = path.toLowerCase().split('/');
    const entry = new featuresPb.SupportedMethod();
    entry.setServiceName(service);
    entry.setMethodName(method);
    supported.addMethods(entry);
  }
  const getSupportedMethods: handleUnaryCall<sharedPb.Empty, featuresPb.SupportedMethods> = (
    _call,
    callback,
  ) => callback(null, supported);
  server.addService(featuresGrpc.ServerFeaturesService, { getSupportedMethods });
  return double;
};

/** The methods that the double has; the client asks for no others. */
const only = <T extends object, K extends keyof T>(service: T, names: readonly K[]): Pick<T, K> =>
  Object.fromEntries(names.map((name) => [name, service[name]])) as Pick<T, K>;
