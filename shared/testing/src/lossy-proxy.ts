import { connect, createServer, type Socket } from 'node:net';

/** A TCP relay that can swallow what the server answers: the fault behind every unknown outcome. */
export interface LossyProxy {
  readonly port: number;
  readonly loseReplies: () => void;
  /** Takes nothing any more from either side, so that buffers fill. */
  readonly stall: () => void;
  /** Both directions arrive so much later from now on, in their order. */
  readonly delay: (ms: number) => void;
  /** Relays new connections to another port: a server that was restarted may have had to move. */
  readonly moveTo: (port: number) => void;
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
  let delayMs = 0;
  let target = port;
  // Equal delays keep the order: timers of one length fire as they were set.
  const later = (act: () => void): void => {
    if (delayMs === 0) act();
    else setTimeout(act, delayMs);
  };
  const server = createServer((client) => {
    const upstream = connect(target, host);
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
    client.on('data', (bytes) => {
      later(() => upstream.write(bytes));
    });
    if (stalled) client.pause();
    upstream.on('data', (bytes) => {
      later(() => {
        if (!losing) client.write(bytes);
      });
    });
    const pause = (): void => void client.pause();
    pauses.add(pause);
    client.on('close', () => pauses.delete(pause));
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
    delay: (ms) => {
      delayMs = ms;
    },
    moveTo: (moved) => {
      target = moved;
    },
    heal: () => {
      delayMs = 0;
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
