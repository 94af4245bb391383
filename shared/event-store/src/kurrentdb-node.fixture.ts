import { exec } from 'node:child_process';
import { promisify } from 'node:util';
import { GenericContainer, Wait, getContainerRuntimeClient } from 'testcontainers';

export interface KurrentdbNode {
  readonly url: string;
  /** Kills the node and starts it again on the same data and port; where the test can do that. */
  readonly restart: (() => Promise<void>) | undefined;
  readonly stop: () => Promise<void>;
}

/** The image of docker-compose.yml. */
const image = process.env['KURRENTDB_IMAGE'] ?? 'kurrentplatform/kurrentdb:26.1.1';

/**
 * `KURRENTDB_URL`, with `KURRENTDB_RESTART_COMMAND` for the tests that kill the node; else a container, where
 * Docker answers; else undefined, said aloud.
 */
export const findKurrentdbNode = async (): Promise<KurrentdbNode | undefined> => {
  const url = process.env['KURRENTDB_URL'];
  const command = process.env['KURRENTDB_RESTART_COMMAND'];
  if (url) {
    const restart = async (): Promise<void> => {
      await promisify(exec)(command ?? '', { timeout: 120_000 });
    };
    return { url, restart: command ? restart : undefined, stop: () => Promise.resolve() };
  }
  try {
    await dockerAnswers(3_000);
    return await startContainer();
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    console.warn(
      `SKIPPED: KurrentDB event store: set KURRENTDB_URL, or run Docker (${why}). Its adapter was NOT tested.`,
    );
    return undefined;
  }
};

const dockerAnswers = async (timeoutMs: number): Promise<void> => {
  const timeout = new Promise<never>((_, reject) => {
    setTimeout(() => reject(new Error('Docker does not answer')), timeoutMs).unref();
  });
  await Promise.race([getContainerRuntimeClient(), timeout]);
};

const startContainer = async (): Promise<KurrentdbNode> => {
  const container = await new GenericContainer(image)
    .withEnvironment({
      KURRENTDB_INSECURE: 'true',
      KURRENTDB_CLUSTER_SIZE: '1',
      KURRENTDB_RUN_PROJECTIONS: 'None',
      KURRENTDB_MEM_DB: 'true',
    })
    .withExposedPorts(2113)
    // It is alive before it may be written to.
    .withWaitStrategy(Wait.forHttp('/info', 2113).forResponsePredicate(isLeader))
    .start();
  return {
    url: `kurrentdb://${container.getHost()}:${String(container.getMappedPort(2113))}?tls=false`,
    restart: undefined,
    stop: async () => {
      await container.stop();
    },
  };
};

const isLeader = (info: string): boolean => /"state":\s*"leader"/.test(info);
