import { linearize, randomFrom, seedFor } from '@tollkeeper/testing';
import { describe, expect, it } from 'vitest';
import type { LedgerPort } from '../support/ledger-port.js';
import { checkThenActLedger, soundLedger } from './check-then-act-ledger.js';
import { creditSpecification } from './credit-specification.js';
import { recordHistory } from './record-history.js';

const histories = 20;
const random = randomFrom(seedFor('check-then-act'));

const linearizableOf = async (ledger: LedgerPort): Promise<boolean[]> => {
  const results: boolean[] = [];
  for (let n = 0; n < histories; n++) {
    const history = await recordHistory(ledger, `acc_${String(n)}`, random);
    results.push(linearize(history, creditSpecification).linearizable);
  }
  return results;
};

describe('the checker of an account’s histories', () => {
  it('catches a ledger that checks and then acts within twenty histories', async () => {
    expect(await linearizableOf(checkThenActLedger(random))).toContain(false);
  });

  it('finds nothing in a ledger that does one after the other', async () => {
    expect(await linearizableOf(soundLedger(random))).not.toContain(false);
  });
});
