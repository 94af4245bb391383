import { appendFileSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { InFlightJournal, type InFlightCall } from './in-flight-journal.js';

const call = (reservationId: string): InFlightCall => ({
  reservationId,
  accountId: 'acc1',
  candidates: [
    { provider: 'openai', model: 'gpt-4o' },
    { provider: 'deepseek', model: 'deepseek-chat' },
  ],
  inputTokens: 41,
  outputTokens: 8_192,
  choices: 1,
  deadlineMs: 1_000,
});

let dir: string;
const opened: InFlightJournal[] = [];
const open = (): InFlightJournal => {
  const journal = new InFlightJournal(dir, () => undefined);
  opened.push(journal);
  return journal;
};
const written = (): string =>
  readdirSync(dir)
    .map((name) => readFileSync(join(dir, name), 'utf8'))
    .join('');

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'toll-journal-'));
});
afterEach(() => {
  for (const journal of opened.splice(0)) journal.close();
  rmSync(dir, { recursive: true });
});

describe('the in-flight journal', () => {
  it('has a call on file before its reserve leaves, and before the vendor is called', async () => {
    const journal = open();
    journal.reserving([call('r1'), call('r2')]);
    expect(written()).toContain('"reservationId":"r1"');
    await journal.dispatched('r1', 0, 100);
    expect(written()).toContain('D r1 0 100\n');
  });

  it('shows the next process what was reserved, what was dispatched and to whom', async () => {
    const journal = open();
    journal.reserving([call('r1'), call('r2'), call('r3')]);
    await Promise.all([journal.dispatched('r2', 0, 100), journal.dispatched('r3', 0, 100)]);
    await journal.dispatched('r2', 1, 90);
    journal.end('r3');
    journal.close();
    opened.length = 0;
    expect(open().leftOpen).toEqual([
      { ...call('r1'), dispatched: undefined },
      { ...call('r2'), dispatched: 1, outputTokens: 90 },
    ]);
  });

  it('shows it again to the one after, until it is ended', () => {
    open().reserving([call('r1')]);
    const second = open();
    expect(second.leftOpen).toHaveLength(1);
    const third = open();
    expect(third.leftOpen).toHaveLength(1);
    third.end('r1');
    third.close();
    opened.length = 0;
    expect(open().leftOpen).toEqual([]);
  });

  it('reads past a line that was being written when the process died', () => {
    open().reserving([call('r1')]);
    appendFileSync(join(dir, readdirSync(dir)[0] ?? ''), 'R {"reservationId":"r2","acc');
    expect(open().leftOpen.map(({ reservationId }) => reservationId)).toEqual(['r1']);
  });

  it('writes all calls that one turn of the event loop dispatches at once', async () => {
    const journal = open();
    const ids = Array.from({ length: 50 }, (_, index) => `r${String(index)}`);
    journal.reserving(ids.map(call));
    await Promise.all(ids.map((id) => journal.dispatched(id, 0, 1)));
    expect(written().match(/^D /gm)).toHaveLength(50);
  });

  it('keeps one file, with the open calls alone, however many calls have ended', async () => {
    const journal = open();
    journal.reserving([call('open')]);
    const wide = { ...call('x'), accountId: 'a'.repeat(64) };
    for (let each = 0; each < 400; each++) {
      const ids = Array.from({ length: 700 }, (_, index) => `${String(each)}-${String(index)}`);
      journal.reserving(ids.map((reservationId) => ({ ...wide, reservationId })));
      for (const id of ids) journal.end(id);
    }
    await journal.dispatched('open', 0, 1);
    expect(readdirSync(dir)).toHaveLength(1);
    expect(written().length).toBeLessThan(64 << 20);
    expect(open().leftOpen).toMatchObject([{ reservationId: 'open', dispatched: 0 }]);
  });

  it('says so where it cannot write, dispatches nothing, and recovers', async () => {
    const journal = open();
    journal.reserving([call('r1')]);
    const real = Reflect.get(journal, 'file') as number;
    Reflect.set(journal, 'file', 1_000_000);
    await expect(journal.dispatched('r1', 0, 1)).rejects.toThrow('EBADF');
    expect(journal.broken).toContain('EBADF');
    expect(journal.probe()).toBe(false);
    Reflect.set(journal, 'file', real);
    expect(journal.probe()).toBe(true);
    expect(journal.broken).toBeUndefined();
  });
});
