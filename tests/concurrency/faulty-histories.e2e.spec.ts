import { randomFrom, seedFor } from '@tollkeeper/testing';
import { describe, expect, it } from 'vitest';
import { inflict, planFaults } from '../faults/fault.js';
import { startLedgerPlatform } from '../support/ledger-platform.js';
import { openLedgerPort } from '../support/ledger-port.js';
import { checkHistories } from './check-histories.js';

/** None in `npm test`, where `kills.e2e.spec.ts` has its own; `npm run test:faults` asks for them. */
const histories = Number(process.env['FAULTY_HISTORIES'] ?? 0);
const creditInstances = Number(process.env['CREDIT_INSTANCES'] ?? 1);

const kurrentdbUrl = process.env['KURRENTDB_URL'];
const stores = [
  { store: 'PostgreSQL', url: undefined },
  ...(kurrentdbUrl === undefined ? [] : [{ store: 'KurrentDB', url: kurrentdbUrl }]),
];
/** One round: each process once killed and once paused, in any order. */
const round = {
  counts: { kill: 1, pause: 1, cut: 0, 'half-open': 0, stall: 0, latency: 0, 'power-loss': 0 },
  targets: ['credit', 'nats', 'postgres'],
} as const;

describe.skipIf(histories === 0).each(stores)(
  'the ledger on $store while its processes are killed and paused',
  ({ url }) => {
    it(
      'answers so that one order of each account’s commands explains it',
      async () => {
        const random = randomFrom(seedFor('faulty histories'));
        const platform = await startLedgerPlatform({ creditInstances, kurrentdbUrl: url });
        const ledger = await openLedgerPort(platform.natsUrl);
        const faults = new Map<string, number>();
        let recording = true;
        const harm = async (): Promise<void> => {
          let plan = planFaults(platform, random, round);
          while (recording) {
            await new Promise((resolve) => setTimeout(resolve, random.int(300, 1_500)));
            const fault = plan.pop();
            if (!fault) {
              plan = planFaults(platform, random, round);
              continue;
            }
            await inflict(platform, fault, random);
            const name = `${fault.kind} ${fault.target}`;
            faults.set(name, (faults.get(name) ?? 0) + 1);
          }
        };
        const harmed = harm();
        try {
          const checked = await checkHistories(ledger, random, {
            goOn: (begun) => begun < histories,
            atOnce: 16,
            options: {
              clients: 8,
              operations: 60,
              persistence: { tryMs: 1_000, giveUpAfterMs: 120_000 },
            },
          });
          recording = false;
          const harms = [...faults].map(([name, count]) => `${name} ${String(count)}`).join(', ');
          console.log(
            `${String(checked.histories)} histories, ${String(checked.operations)} operations, ${String(checked.unanswered)} without an answer; ${harms}`,
          );
          expect(checked.wrong).toEqual([]);
          expect(checked.histories).toBe(histories);
        } finally {
          recording = false;
          await harmed;
          await ledger.close();
          await platform.stop();
        }
      },
      600_000 + histories * 5_000,
    );
  },
);
