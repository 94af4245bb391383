import { connect, createServer, type Socket } from 'node:net';

/** A TCP relay that can swallow what the server answers: the fault behind every unknown outcome. */
export interface LossyProxy {
  readonly port: number;
  readonly loseReplies: () => void;
  /** Takes nothing any more from either side, so that buffers fill. */
  readonly stall: () => void;
  /** Cuts the connections that lost something; new ones are whole. */
  readonly heal: () => void;
  /** Cuts every connection, as a restart of a load balancer would. */
  readonly cut: () => void;
  readonly close: () => Promise<void>;
}

export const startLossyProxy = async (host: string, port: number): Promise<LossyProxy> => {
  const sockets = new Set<Socket>();
  const pauses = new Set<() => void>();
  let losing = false;
  let stalled = false;
  const server = createServer((client) => {
    const upstream = connect(port, host);
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.setNoDelay(true);
      socket.on('close', () => {
        sockets.delete(socket);
        client.destroy();
        upstream.destroy();
      });
      // 'close' follows; unheard, an error would end the test run.
      socket.on('error', () => undefined);
    }
    if (!stalled) client.pipe(upstream);
    upstream.on('data', (bytes) => {
      if (!losing) client.write(bytes);
    });
    pauses.add(() => client.unpipe(upstream).pause());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  const cut = (): void => {
    for (const socket of sockets) socket.destroy();
  };
  return {
    port: address.port,
    loseReplies: () => {
      losing = true;
    },
    stall: () => {
      stalled = true;
      for (const pauseClient of pauses) pauseClient();
    },
    heal: () => {
      losing = false;
      stalled = false;
      cut();
    },
    cut,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        cut();
      }),
  };
};
