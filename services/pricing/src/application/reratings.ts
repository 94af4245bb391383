import { createHash } from 'node:crypto';
import type { ChargedCall, Rerate, RerateReply, RerateView } from '@tollkeeper/contracts';
import type { PriceBook, PriceVersion } from '@tollkeeper/pricing';
import { recharge, type Recharged } from '../domain/simulation/recharge.js';
import { fromScaled, toScaled } from '../domain/simulation/scaled.js';
import { fitting } from './fitting.js';
import { eachCall, rangeOf, type ReadChargedCalls } from './charged-calls.js';

/** Books a difference with the account's owner. May throw where nobody answers. */
export type PostRerating = (
  accountId: string,
  rerate: Rerate & { readonly commandId: string },
  actor: string,
) => Promise<RerateReply>;

export interface RerateOrder {
  readonly runId: string;
  readonly version: PriceVersion;
  readonly days?: number | undefined;
  readonly from?: string | undefined;
  readonly to?: string | undefined;
  readonly accountId?: string | undefined;
  readonly post: boolean;
  readonly reason: string;
  readonly list: number;
  readonly actor: string;
}

interface Difference {
  readonly call: ChargedCall;
  readonly after: Recharged;
}

const postsAtOnce = 16;
const failuresMax = 1_000;

/** One for each call of a run: a run that is repeated under its own id posts the same commands. */
const commandIdOf = (runId: string, { accountId, reservationId }: ChargedCall): string =>
  createHash('sha256')
    .update(`${runId}\n${accountId}\n${reservationId}`)
    .digest('hex')
    .slice(0, 40);

/** Attempts as the account's owner takes them: usage, not rates. */
const attemptsOf = (call: ChargedCall): Rerate['attempts'] =>
  call.attempts.map(({ lines, provenance, ...attempt }) => ({
    provider: attempt.provider,
    model: attempt.model,
    answeredModel: attempt.answeredModel,
    vendorRequestId: attempt.vendorRequestId,
    serviceTier: attempt.serviceTier,
    region: attempt.region,
    billed: attempt.billed,
    provenance: provenance as 'exact',
    usage: Object.fromEntries(lines.map(([meter, quantity]) => [meter, Number(quantity)])),
  }));

/** Charges the calls of a range at another version of their model's price. */
export class Reratings {
  constructor(
    private readonly read: ReadChargedCalls,
    private readonly post: PostRerating,
    private readonly book: PriceBook,
  ) {}

  /** Throws what reading throws; what an account's owner refuses is a failure of that call alone. */
  async run(order: RerateOrder, at: Date): Promise<RerateView> {
    const { version } = order;
    const range = rangeOf(order, at);
    const run = new RerateRun(order, this.book);
    const of = { provider: version.provider, model: version.model };
    const currency = await eachCall(
      this.read,
      { ...range, accountId: order.accountId, of },
      async (calls) => {
        const differences = run.differencesOf(calls);
        if (order.post) await this.postAll(differences, order, run);
      },
    );
    return { priceVersion: version.id, from: range.from, to: range.to, ...run.view(), ...currency };
  }

  private async postAll(
    differences: readonly Difference[],
    order: RerateOrder,
    run: RerateRun,
  ): Promise<void> {
    for (let first = 0; first < differences.length; first += postsAtOnce) {
      const some = differences.slice(first, first + postsAtOnce);
      await Promise.all(some.map(({ call }) => this.postOne(call, order, run)));
    }
  }

  private async postOne(call: ChargedCall, order: RerateOrder, run: RerateRun): Promise<void> {
    const { accountId, reservationId } = call;
    const { version, reason, actor } = order;
    const rerate = {
      commandId: commandIdOf(order.runId, call),
      reservationId,
      priceVersion: version.id,
      attempts: attemptsOf(call),
      reason,
    };
    try {
      const reply = await this.post(accountId, rerate, actor);
      if (reply.status === 'refused') run.failed(accountId, reservationId, reply.reason);
      else if (reply.changed) run.posted();
    } catch {
      run.failed(accountId, reservationId, 'no-reply');
    }
  }
}

/** What one run has found and done so far. */
class RerateRun {
  #usages = 0;
  #differences = 0;
  #posted = 0;
  #unknownUsage = 0;
  #deltaCostUsd = 0n;
  #deltaCredits = 0n;
  readonly #failed: RerateView['failed'] = [];
  readonly #list: RerateView['list'] = [];

  constructor(
    private readonly order: RerateOrder,
    private readonly book: PriceBook,
  ) {}

  differencesOf(calls: readonly ChargedCall[]): Difference[] {
    const differences: Difference[] = [];
    for (const call of calls) {
      this.#usages += 1;
      const after = this.recharged(call);
      if (after) differences.push({ call, after });
    }
    return differences;
  }

  posted(): void {
    this.#posted += 1;
  }

  failed(accountId: string, reservationId: string, reason: string): void {
    if (this.#failed.length < failuresMax) this.#failed.push({ accountId, reservationId, reason });
  }

  view(): Omit<RerateView, 'priceVersion' | 'from' | 'to' | 'asOf' | 'stale'> {
    return {
      usages: this.#usages,
      differences: this.#differences,
      deltaCostUsd: fromScaled(this.#deltaCostUsd),
      deltaCredits: fromScaled(this.#deltaCredits),
      posted: this.#posted,
      failed: this.#failed,
      unknownUsage: this.#unknownUsage,
      list: fitting(this.#list),
    };
  }

  /** Undefined where the call is priced so already, or its usage is not known. */
  private recharged(call: ChargedCall): Recharged | undefined {
    const { version } = this.order;
    const isOf = ({ provider, model }: ChargedCall['attempts'][number]): boolean =>
      provider === version.provider && model === version.model;
    const isOther = call.attempts.some(
      (attempt) => attempt.billed && isOf(attempt) && attempt.priceVersion !== version.id,
    );
    if (!isOther) return undefined;
    const after = recharge(
      call,
      {
        multiplierFor: () => undefined,
        versionFor: (attempt) => (isOf(attempt) ? version : undefined),
      },
      this.book,
    );
    if (!after) return undefined;
    if ('unpriced' in after) {
      this.#unknownUsage += 1;
      return undefined;
    }
    this.count(call, after);
    return after;
  }

  private count(call: ChargedCall, after: Recharged): void {
    const costUsd = toScaled(call.vendorCostUsd);
    const charge = toScaled(call.chargeCredits);
    this.#differences += 1;
    this.#deltaCostUsd += after.costUsd - costUsd;
    this.#deltaCredits += after.chargeCredits - charge;
    if (this.#list.length >= this.order.list) return;
    this.#list.push({
      accountId: call.accountId,
      reservationId: call.reservationId,
      requestedAt: call.requestedAt,
      beforeCostUsd: fromScaled(costUsd),
      afterCostUsd: fromScaled(after.costUsd),
      beforeCredits: fromScaled(charge),
      afterCredits: fromScaled(after.chargeCredits),
    });
  }
}
