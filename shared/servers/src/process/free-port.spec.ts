import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, expect, it } from 'vitest';

import { freePort, freePortFrom, isPortFree, portMemory } from './free-port.js';

describe('ports', () => {
  it('passes over a busy one to the next', async () => {
    const port = await freePort();
    const blocker = createServer().listen(port, '127.0.0.1');
    await expect.poll(() => isPortFree(port)).toBe(false);
    expect(await freePortFrom(port)).toBeGreaterThan(port);
    blocker.close();
  });

  it('are remembered, and what is not a port is forgotten', async () => {
    const directory = await mkdtemp(path.join(tmpdir(), 'toll-port-'));
    const file = path.join(directory, 'port');
    const memory = portMemory(file);
    expect(await memory.recall()).toBeUndefined();
    await memory.remember(8787);
    expect(await memory.recall()).toBe(8787);
    await writeFile(file, '87870000');
    expect(await memory.recall()).toBeUndefined();
    await rm(directory, { recursive: true });
  });
});
