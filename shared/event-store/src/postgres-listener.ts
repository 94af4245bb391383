import pg from 'pg';

const retryMs = { first: 100, most: 5_000 };

export interface Listener {
  /** Calls when an event of one of these categories was stored, or may have been. */
  readonly listen: (categories: readonly string[], wake: () => void) => () => void;
  readonly close: () => Promise<void>;
}

interface Audience {
  readonly categories: readonly string[];
  readonly wake: () => void;
}

/** One LISTEN connection for all subscriptions of a store; connects at the first, and again whenever it breaks. */
export const createListener = (
  config: pg.ClientConfig,
  onError: (error: unknown) => void,
): Listener => {
  const audiences = new Set<Audience>();
  let client: pg.Client | undefined;
  let heard = new Set<string>();
  let closed = false;
  let timer: NodeJS.Timeout | undefined;
  let backOffMs = retryMs.first;
  let connecting: Promise<void> | undefined;

  const wake = (category?: string): void => {
    for (const audience of audiences) {
      if (category === undefined || audience.categories.includes(category)) audience.wake();
    }
  };

  const connect = async (): Promise<void> => {
    const fresh = new pg.Client(config);
    const lose = (error?: unknown): void => {
      if (client === fresh) client = undefined;
      fresh.removeAllListeners('notification');
      if (closed || timer) return;
      if (error) onError(error);
      timer = setTimeout(start, backOffMs);
      backOffMs = Math.min(backOffMs * 2, retryMs.most);
    };
    fresh.on('error', lose);
    fresh.on('end', lose);
    fresh.on('notification', ({ channel }) => {
      wake(channel.slice(channelOf('').length));
    });
    try {
      await fresh.connect();
      client = fresh;
      heard = new Set();
      await hear();
      backOffMs = retryMs.first;
    } catch (error) {
      lose(error);
      await fresh.end().catch(onError);
    }
  };

  const start = (): void => {
    timer = undefined;
    connecting = connect().finally(() => {
      connecting = undefined;
    });
  };

  /** LISTENs to what is not heard yet, then wakes its audience: the store may have changed before. */
  const hear = async (): Promise<void> => {
    const wanted = new Set([...audiences].flatMap(({ categories }) => categories));
    const missing = [...wanted].filter((category) => !heard.has(category));
    if (!client || missing.length === 0) return;
    for (const category of missing) heard.add(category);
    await client.query(missing.map((category) => `LISTEN "${channelOf(category)}"`).join(';'));
    for (const category of missing) wake(category);
  };

  return {
    listen: (categories, wakeUp) => {
      const audience = { categories, wake: wakeUp };
      audiences.add(audience);
      if (client) {
        // A connection that cannot LISTEN is broken; it reports that itself and is replaced.
        hear().catch(onError);
      } else if (!connecting && !timer) {
        start();
      }
      return () => audiences.delete(audience);
    },
    close: async () => {
      closed = true;
      clearTimeout(timer);
      await connecting;
      await client?.end();
    },
  };
};

const channelOf = (category: string): string => `event_store:${category}`;
