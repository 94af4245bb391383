import { parseMoney, uuidv7 } from '@tollkeeper/kernel';
import type { ModelCommand, Random } from '@tollkeeper/testing';
import { VendorInvoice } from '../support/money-invariants.js';
import {
  sendUntilAnswered,
  type LedgerPort,
  type LedgerReply,
  type Persistence,
} from '../support/ledger-port.js';

/** What a client was told, in the client's own words. */
export interface Acked {
  readonly accountId: string;
  /** Of the grant or the reservation. */
  readonly id: string;
  readonly act: 'granted' | 'reserved' | 'settled' | 'released';
  /** Of a settle. */
  readonly chargeCredits?: string;
}

export interface LoadFigures {
  readonly granted: number;
  readonly reserved: number;
  readonly settled: number;
  readonly released: number;
  readonly late: number;
  readonly abandoned: number;
  /** Commands that were given up without an answer. */
  readonly unanswered: number;
  readonly refused: ReadonlyMap<string, number>;
}

/** Clients that reserve, then settle or release, under ids of their own and until they are answered. */
export interface Load {
  readonly accountIds: readonly string[];
  /** What was acknowledged since the last look. */
  readonly takeAcked: () => Acked[];
  readonly figures: () => LoadFigures;
  /** Of the vendor that did the calls. */
  readonly invoice: VendorInvoice;
  readonly stop: () => Promise<void>;
}

export interface LoadOptions {
  readonly clients: number;
  readonly accounts: number;
  readonly persistence: Persistence;
  /** The longest that a client holds a reservation. */
  readonly holdMs: number;
}

export const startLoad = async (
  ledger: LedgerPort,
  random: Random,
  options: LoadOptions,
): Promise<Load> => {
  const load = new RunningLoad(ledger, random, options);
  await load.open();
  load.start();
  return load;
};

const model = { provider: 'openai', model: 'gpt-4o' };
const usage = { input: 900, output: 50 };
const completion = {
  candidates: [model],
  bounds: { inputTokens: 1000, outputTokens: 100 },
};

class RunningLoad implements Load {
  readonly accountIds: readonly string[];
  readonly invoice = new VendorInvoice();
  private readonly run: string;
  private acked: Acked[] = [];
  private readonly counts = {
    granted: 0,
    reserved: 0,
    settled: 0,
    released: 0,
    late: 0,
    abandoned: 0,
    unanswered: 0,
  };
  private readonly refused = new Map<string, number>();
  private stopping = false;
  private place = 0;
  private clients: Promise<unknown> = Promise.resolve();

  constructor(
    private readonly ledger: LedgerPort,
    private readonly random: Random,
    private readonly options: LoadOptions,
  ) {
    this.run = random.int(0, 1e9).toString(36);
    this.accountIds = Array.from(
      { length: options.accounts },
      (_, n) => `load_${this.run}_${String(n)}`,
    );
  }

  async open(): Promise<void> {
    for (const accountId of this.accountIds) {
      const owner = { ownerUserId: 'usr_load', tier: 'pro' } as const;
      await this.send(accountId, { verb: 'open', id: `open_${accountId}`, body: owner });
      await this.grant(accountId, `grant_${accountId}`, '1000000');
    }
  }

  start(): void {
    const { clients } = this.options;
    this.clients = Promise.all(Array.from({ length: clients }, () => this.client()));
  }

  takeAcked(): Acked[] {
    return this.acked.splice(0);
  }

  figures(): LoadFigures {
    return { ...this.counts, refused: this.refused };
  }

  async stop(): Promise<void> {
    this.stopping = true;
    await this.clients;
  }

  private async client(): Promise<void> {
    while (!this.stopping) {
      const place = String(this.place++);
      const accountId = this.random.pick(this.accountIds);
      if (this.random.int(0, 99) < 2) await this.grant(accountId, `g${place}`, '5');
      // A few callers make ids of their own, about which an account that has forgotten something must ask first.
      const reservationId = this.random.int(0, 15) === 0 ? `r${place}` : uuidv7();
      await this.reserveAndEnd(accountId, reservationId);
    }
  }

  private async grant(accountId: string, id: string, amountCredits: string): Promise<void> {
    const reply = await this.send(accountId, { verb: 'grant', id, body: { amountCredits } });
    if (reply?.['status'] !== 'accepted') return;
    this.counts.granted++;
    this.acked.push({ accountId, id: String(reply['grantId']), act: 'granted' });
  }

  private async reserveAndEnd(accountId: string, reservationId: string): Promise<void> {
    const isPlain = this.random.int(0, 1) === 0;
    const amountCredits = String(this.random.int(1, 9));
    const reserve = { verb: 'reserve', id: reservationId } as const;
    const reserved = await this.send(accountId, {
      ...reserve,
      body: isPlain ? { amountCredits } : completion,
    });
    if (reserved?.['status'] !== 'accepted') return;
    this.counts.reserved++;
    this.acked.push({ accountId, id: reservationId, act: 'reserved' });
    await this.hold();
    const fate = this.random.int(0, 99);
    if (fate < 3) {
      this.counts.abandoned++;
      return;
    }
    if (fate < 25) {
      await this.release(accountId, reservationId);
      return;
    }
    const settle = (): Promise<void> =>
      this.settle(accountId, reservationId, isPlain ? amountCredits : undefined);
    // Now and then a caller sends it twice at once.
    await Promise.all(fate < 30 ? [settle(), settle()] : [settle()]);
  }

  private async settle(
    accountId: string,
    reservationId: string,
    amountCredits: string | undefined,
  ): Promise<void> {
    const attempts = [{ ...model, usage }];
    if (amountCredits === undefined) this.invoice.bill(`${accountId}/${reservationId}`, usage);
    const reply = await this.send(accountId, {
      verb: 'settle',
      id: `s_${reservationId}`,
      body:
        amountCredits === undefined
          ? { reservationId, attempts }
          : { reservationId, amountCredits },
    });
    if (reply?.['status'] !== 'accepted') return;
    this.counts.settled++;
    if (reply['late'] === true) this.counts.late++;
    const chargeCredits = String(reply['chargeCredits']);
    if (amountCredits !== undefined && !parseMoney(chargeCredits).eq(amountCredits)) {
      throw new Error(`${reservationId} was charged ${chargeCredits}, not ${amountCredits}`);
    }
    this.acked.push({ accountId, id: reservationId, act: 'settled', chargeCredits });
  }

  private async release(accountId: string, reservationId: string): Promise<void> {
    const body = { reservationId, reason: 'failed' } as const;
    const reply = await this.send(accountId, { verb: 'release', id: `l_${reservationId}`, body });
    if (reply?.['status'] !== 'accepted') return;
    this.counts.released++;
    this.acked.push({ accountId, id: reservationId, act: 'released' });
  }

  private async hold(): Promise<void> {
    const ms = this.random.int(0, this.options.holdMs);
    await new Promise((resolve) => setTimeout(resolve, ms));
  }

  private async send(accountId: string, command: ModelCommand): Promise<LedgerReply | undefined> {
    const { persistence } = this.options;
    const reply = await sendUntilAnswered(this.ledger, accountId, command, persistence);
    if (reply === undefined) this.counts.unanswered++;
    else if (reply['status'] !== 'accepted') {
      const reason = `${command.verb}: ${String(reply['reason'])}`;
      this.refused.set(reason, (this.refused.get(reason) ?? 0) + 1);
    }
    return reply;
  }
}
