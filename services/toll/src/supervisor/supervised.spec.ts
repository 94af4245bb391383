import type { ServerExit } from '@tollkeeper/servers';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { Supervised, type Instance } from './supervised.js';

/** One life that ends when the test says so. */
class Life implements Instance {
  readonly exited: Promise<ServerExit>;
  private end: (exit: ServerExit) => void = () => undefined;

  constructor(readonly pid: number) {
    this.exited = new Promise((resolve) => (this.end = resolve));
  }

  die(): void {
    this.end({ code: null, signal: 'SIGKILL' });
  }

  readonly stop = (): Promise<void> => {
    this.end({ code: 0, signal: null });
    return Promise.resolve();
  };
}

describe('a supervised process', () => {
  const lines: string[] = [];
  const lives: Life[] = [];
  let failures = 0;

  const supervised = (): Supervised<Life> =>
    new Supervised<Life>({
      name: 'credit',
      log: (line) => lines.push(line),
      launch: () => {
        if (failures > 0) {
          failures -= 1;
          return Promise.reject(new Error('no port'));
        }
        const life = new Life(lives.length + 1);
        lives.push(life);
        return Promise.resolve(life);
      },
    });

  beforeEach(() => {
    vi.useFakeTimers();
    lines.length = 0;
    lives.length = 0;
    failures = 0;
  });

  afterEach(() => {
    vi.useRealTimers();
  });

  const dieAndWait = async (waitMs: number): Promise<void> => {
    lives.at(-1)?.die();
    await vi.advanceTimersByTimeAsync(waitMs);
  };

  it('is started again when it dies, and the log says so', async () => {
    const credit = supervised();
    await credit.start();
    await dieAndWait(199);
    expect(lives).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(1);
    expect(credit.current?.pid).toBe(2);
    expect(lines).toEqual([
      'credit was ended by SIGKILL',
      'starting credit again in 0.2 s',
      'credit is back (pid 2)',
    ]);
    await credit.stop();
  });

  it('waits longer with each death in a row, and forgets them after 30 s of health', async () => {
    const credit = supervised();
    await credit.start();
    await dieAndWait(200);
    await dieAndWait(399);
    expect(lives).toHaveLength(2);
    await vi.advanceTimersByTimeAsync(30_001);
    expect(lives).toHaveLength(3);
    await dieAndWait(200);
    expect(lives).toHaveLength(4);
    await credit.stop();
  });

  it('keeps trying when a restart fails', async () => {
    const credit = supervised();
    await credit.start();
    failures = 2;
    await dieAndWait(200 + 400 + 800);
    expect(credit.current?.pid).toBe(2);
    await credit.stop();
  });

  it('gives up after three failed first starts', async () => {
    failures = 3;
    const started = supervised().start();
    const outcome = expect(started).rejects.toThrow('no port');
    await vi.advanceTimersByTimeAsync(10_000);
    await outcome;
    expect(lives).toHaveLength(0);
  });

  it('is not started again once it was told to stop, even while it waits', async () => {
    const credit = supervised();
    await credit.start();
    await dieAndWait(100);
    await credit.stop();
    await vi.advanceTimersByTimeAsync(60_000);
    expect(lives).toHaveLength(1);
  });
});
