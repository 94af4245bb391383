import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { setTimeout as sleep } from 'node:timers/promises';
import { formatMoney } from '@tollkeeper/kernel';
import { waitUntil } from '@tollkeeper/servers';
import type { Random } from '@tollkeeper/testing';
import pg from 'pg';
import { checkHistories, type CheckedHistories } from '../concurrency/check-histories.js';
import { startLedgerPlatform, type LedgerPlatform } from '../support/ledger-platform.js';
import { moneyFaults } from '../support/money-invariants.js';
import { openLedgerPort, sendUntilAnswered, type LedgerPort } from '../support/ledger-port.js';
import { root } from '../support/root.js';
import { inflict, planFaults, type Fault, type FaultChoice } from './fault.js';
import { LedgerBooks } from './ledger-books.js';
import { startLoad, type Acked, type Load, type LoadFigures } from './load.js';

export interface FaultRunOptions extends FaultChoice {
  /** No new fault begins after so long. */
  readonly timeMaxMs: number;
  readonly creditInstances: number;
  readonly kurrentdbUrl: string | undefined;
  readonly kurrentdbProgram: string | undefined;
  /** For power losses: the library of `compileVolatileDisk`. */
  readonly volatileDisk: string | undefined;
  readonly onFault: (line: string) => void;
}

export interface FaultRecord extends Fault {
  /** From the end of the fault, for a kill or a cut from its moment, to the first command that was carried out. */
  readonly recoveryMs: number;
}

export interface FaultReport {
  readonly faults: readonly FaultRecord[];
  /** More than there were when time ran out. */
  readonly planned: number;
  readonly load: LoadFigures;
  readonly acked: number;
  readonly events: number;
  /** What was acknowledged and the ledger does not have, or has otherwise. */
  readonly lost: readonly string[];
  readonly broken: readonly string[];
  /** Recorded on small accounts of their own while the faults went on. */
  readonly histories: CheckedHistories;
  /** After the longest life of a reservation and a sweep. */
  readonly openReservations: number;
  /** What `audit verify` said when it was not content. */
  readonly proof: string | undefined;
  /** Of the vendor, in US dollars. */
  readonly invoiceUsd: string;
  /** What is wrong with the money at the end. */
  readonly moneyFaults: readonly string[];
}

const callTimeoutMs = 12_000;
const settleGraceMs = 4_000;
const sweepMs = 5_000;
const recoveryMaxMs = 120_000;

/** A load of sixty-four clients, one fault after the other, and the books after each. */
export const runFaults = async (random: Random, options: FaultRunOptions): Promise<FaultReport> => {
  const platform = await startLedgerPlatform({
    creditInstances: options.creditInstances,
    kurrentdbUrl: options.kurrentdbUrl,
    kurrentdbProgram: options.kurrentdbProgram,
    volatileDisk: options.volatileDisk,
    projection: true,
    relayed: true,
    env: { CALL_TIMEOUT_MS: String(callTimeoutMs), SETTLE_GRACE_MS: String(settleGraceMs) },
  });
  const ledger = await openLedgerPort(platform.natsUrl);
  try {
    return await new FaultRun(platform, ledger, random, options).run();
  } finally {
    await ledger.close();
    await platform.stop();
  }
};

class FaultRun {
  private readonly faults: FaultRecord[] = [];
  private readonly lost: string[] = [];
  private readonly broken: string[] = [];
  private readonly acked: Acked[] = [];
  private probes = 0;

  constructor(
    private readonly platform: LedgerPlatform,
    private readonly ledger: LedgerPort,
    private readonly random: Random,
    private readonly options: FaultRunOptions,
  ) {}

  async run(): Promise<FaultReport> {
    const load = await startLoad(this.ledger, this.random, {
      clients: 64,
      accounts: 24,
      persistence: { tryMs: 2_000, giveUpAfterMs: 180_000 },
      holdMs: 400,
    });
    const probe = await this.openProbe();
    let loaded = true;
    const histories = checkHistories(this.ledger, this.random, {
      goOn: () => loaded,
      atOnce: 2,
      options: { clients: 8, operations: 60, persistence: { tryMs: 1_000, giveUpAfterMs: 6_000 } },
      lastsMsMax: callTimeoutMs + settleGraceMs - 1_000,
    });
    const store = await this.platform.store();
    const open = (): LedgerBooks => new LedgerBooks(store, [...load.accountIds, probe]);
    let books = open();
    const until = performance.now() + this.options.timeMaxMs;
    const plan = planFaults(this.platform, this.random, this.options);
    for (const [index, fault] of plan.entries()) {
      if (performance.now() > until) break;
      await sleep(this.random.int(300, 1_500));
      const overAt = await inflict(this.platform, fault, this.random);
      const recoveryMs = (await this.firstAnswerAt(probe)) - overAt;
      this.faults.push({ ...fault, recoveryMs });
      // What had been read may be gone again: everything that was ever acknowledged is looked for.
      const anew = fault.kind === 'power-loss';
      if (anew) books = open();
      await this.compare(books, load.takeAcked(), anew);
      const lasted = fault.lastsMs > 0 ? ` for ${String(fault.lastsMs)} ms` : '';
      this.options.onFault(
        `${String(index + 1)}/${String(plan.length)}: ${fault.kind} ${fault.target}${lasted}: back after ${recoveryMs.toFixed(0)} ms; ${String(this.acked.length)} acknowledged, ${String(this.lost.length)} lost, ${String(this.broken.length)} broken`,
      );
    }
    await load.stop();
    loaded = false;
    const checked = await histories;
    await this.compare(books, load.takeAcked());
    await this.untilNoneOpen(books);
    const proof = await this.prove();
    return {
      faults: this.faults,
      planned: plan.length,
      load: load.figures(),
      acked: this.acked.length,
      events: books.events,
      lost: this.lost,
      broken: this.broken,
      histories: checked,
      openReservations: books.openReservations,
      proof,
      invoiceUsd: formatMoney(load.invoice.totalUsd),
      moneyFaults: await this.moneyFaults(load),
    };
  }

  private async openProbe(): Promise<string> {
    const accountId = `probe_${this.random.int(0, 1e9).toString(36)}`;
    const persistence = { tryMs: 5_000, giveUpAfterMs: 60_000 };
    const owner = { ownerUserId: 'usr_probe', tier: 'pro' } as const;
    const open = { verb: 'open', id: 'open', body: owner } as const;
    await sendUntilAnswered(this.ledger, accountId, open, persistence);
    const grant = { verb: 'grant', id: 'grant', body: { amountCredits: '1000000' } } as const;
    await sendUntilAnswered(this.ledger, accountId, grant, persistence);
    return accountId;
  }

  /** The moment at which the ledger has carried out a command that was first sent after the fault. */
  private async firstAnswerAt(accountId: string): Promise<number> {
    const persistence = { tryMs: 250, giveUpAfterMs: recoveryMaxMs };
    const id = `probe${String(this.probes++)}`;
    const charge = { verb: 'charge', id, body: { amountCredits: '1' } } as const;
    const reply = await sendUntilAnswered(this.ledger, accountId, charge, persistence);
    if (reply?.['status'] !== 'accepted') {
      this.broken.push(`no recovery in ${String(recoveryMaxMs)} ms: ${JSON.stringify(reply)}`);
    }
    return performance.now();
  }

  /** The acknowledged are taken before the streams are read: by then they must be in them. */
  private async compare(books: LedgerBooks, acked: readonly Acked[], anew = false): Promise<void> {
    this.acked.push(...acked);
    this.broken.push(...(await books.read()));
    this.lost.push(...books.lost(anew ? this.acked : acked));
  }

  private async untilNoneOpen(books: LedgerBooks): Promise<void> {
    const timeoutMs = callTimeoutMs + settleGraceMs + 6 * sweepMs;
    await waitUntil(
      async () => {
        this.broken.push(...(await books.read()));
        return books.openReservations === 0;
      },
      { timeoutMs, intervalMs: 500 },
    );
  }

  private async moneyFaults({ invoice, accountIds }: Load): Promise<string[]> {
    const pool = new pg.Pool({ connectionString: this.platform.databaseUrl, max: 1 });
    try {
      return await moneyFaults(pool, invoice, accountIds);
    } finally {
      await pool.end();
    }
  }

  private async prove(): Promise<string | undefined> {
    let said: string | undefined;
    await waitUntil(
      async () => {
        said = await this.proveOnce();
        return said === undefined;
      },
      { timeoutMs: 60_000, intervalMs: 1_000 },
    );
    return said;
  }

  private async proveOnce(): Promise<string | undefined> {
    const { databaseUrl, kurrentdbUrl } = this.platform;
    const env = { ...process.env, DATABASE_URL: databaseUrl, KURRENTDB_URL: kurrentdbUrl ?? '' };
    const script = join(root, 'services/projection/dist/audit.main.js');
    try {
      await promisify(execFile)(process.execPath, [script, 'verify', '--json'], { env });
      return undefined;
    } catch (error) {
      const { stdout, stderr } = error as { stdout?: string; stderr?: string };
      return `${stdout ?? ''}${stderr ?? ''}`.slice(0, 2_000);
    }
  }
}
