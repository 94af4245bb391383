import { appendFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { settleOf } from '../ledger/ledger.js';
import { Spool, type SpoolRecord } from './spool.js';

const record = (reservationId: string): SpoolRecord => ({
  ending: settleOf({ reservationId, accountId: 'acc1', correlationId: undefined }, [
    { provider: 'openai', model: 'gpt-4o', usage: { input: 4, output: 16 } },
  ]),
  spooledAt: '2026-11-20T00:00:00.000Z',
});
const ids = (spool: Spool): string[] =>
  spool.records().map(({ ending }) => ending.body.reservationId);

let dir: string;
const file = (name: string): string => readFileSync(join(dir, name), 'utf8');
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'toll-spool-'));
});
afterEach(() => {
  rmSync(dir, { recursive: true });
});

const a = '01a1f9cf-c8f3-722d-b06d-395194daa340';
const b = '01a1f9cf-c8f3-722d-b06d-395194daa350';

describe('the spool', () => {
  it('has a record on disk when it says so', async () => {
    const spool = await Spool.open(dir);
    await spool.add(record(a));
    expect(file('spool.jsonl')).toBe(`${JSON.stringify(record(a))}\n`);
    await spool.close();
  });

  it('gives the next process what is not drained, with the same command ids', async () => {
    const first = await Spool.open(dir);
    await Promise.all([first.add(record(a)), first.add(record(b))]);
    await first.drained(record(a));
    // The process dies: nothing is closed.
    const second = await Spool.open(dir);
    expect(second.records()).toEqual([record(b)]);
    await first.close();
    await second.close();
  });

  it('is empty on disk when all is drained', async () => {
    const spool = await Spool.open(dir);
    await Promise.all([spool.add(record(a)), spool.add(record(b))]);
    await Promise.all([spool.drained(record(a)), spool.drained(record(b))]);
    expect(file('spool.jsonl')).toBe('');
    await spool.add(record(b));
    const second = await Spool.open(dir);
    expect(ids(second)).toEqual([b]);
    await spool.close();
    await second.close();
  });

  it('keeps what the ledger refused, and counts it after a restart too', async () => {
    const spool = await Spool.open(dir);
    await spool.add(record(a));
    await spool.reject(record(a), 'unknown-reservation');
    expect(spool.size).toBe(0);
    await spool.close();
    const second = await Spool.open(dir);
    expect(second.refused).toBe(1);
    expect(JSON.parse(file('refused.jsonl'))).toMatchObject({
      reason: 'unknown-reservation',
      ending: { body: { reservationId: a } },
    });
    await second.close();
  });

  it('reads past half a line, and writes the next record on a line of its own', async () => {
    const first = await Spool.open(dir);
    await first.add(record(a));
    appendFileSync(join(dir, 'spool.jsonl'), '{"ending":{"verb":"set');
    const second = await Spool.open(dir);
    await second.add(record(b));
    const third = await Spool.open(dir);
    expect(ids(third)).toEqual([a, b]);
    await Promise.all([first.close(), second.close(), third.close()]);
  });

  it('keeps a thousand records that come at once', async () => {
    const spool = await Spool.open(dir);
    const all = Array.from({ length: 1_000 }, (_, index) => record(`r${String(index)}0`));
    await Promise.all(all.map((each) => spool.add(each)));
    await spool.close();
    const second = await Spool.open(dir);
    expect(second.size).toBe(1_000);
    await second.close();
  });

  it('says so where it cannot write, keeps the record in memory, and recovers', async () => {
    const spool = await Spool.open(dir);
    await spool.add(record(a));
    const broken = {
      write: () => Promise.reject(new Error('ENOSPC')),
      close: () => Promise.resolve(),
    };
    Reflect.set(spool, 'file', broken);
    await expect(spool.add(record(b))).rejects.toThrow('ENOSPC');
    Reflect.set(spool, 'dir', join(dir, 'gone'));
    expect(await spool.probe()).toBe(false);
    expect(spool.broken).toContain('ENOENT');
    expect(ids(spool)).toEqual([a, b]);
    Reflect.set(spool, 'dir', dir);
    expect(await spool.probe()).toBe(true);
    expect(spool.broken).toBeUndefined();
    const second = await Spool.open(dir);
    expect(ids(second)).toEqual([a, b]);
    await second.close();
    await spool.close();
  });
});
