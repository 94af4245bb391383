import type { Simulate, SimulationView } from '@tollkeeper/contracts';
import type { PriceBook, PriceVersion } from '@tollkeeper/pricing';
import { Proposal, type ProposedMultiplier } from '../domain/simulation/proposal.js';
import { Simulation, type SimulatedUser } from '../domain/simulation/simulation.js';
import { fitting } from './fitting.js';
import { eachCall, rangeOf, type ReadChargedCalls } from './charged-calls.js';

export interface SimulationOrder extends Pick<Simulate, 'days' | 'from' | 'to' | 'accountId'> {
  readonly multipliers: readonly ProposedMultiplier[];
  readonly versions: readonly PriceVersion[];
  readonly users: number;
}

/** So many simulations' users are kept to be read on; the oldest goes first. */
const keptMax = 8;
const usersPage = 2_000;

/** Runs proposals over recorded calls, and keeps the latest runs' affected users. */
export class Simulations {
  readonly #users = new Map<string, readonly SimulatedUser[]>();

  constructor(
    private readonly read: ReadChargedCalls,
    private readonly book: PriceBook,
  ) {}

  /** Throws what reading throws. */
  async run(simulationId: string, order: SimulationOrder, at: Date): Promise<SimulationView> {
    const range = rangeOf(order, at);
    const proposal = new Proposal(order.multipliers, order.versions, this.book);
    const simulation = new Simulation(proposal, this.book);
    const currency = await eachCall(
      this.read,
      { ...range, accountId: order.accountId },
      (calls) => {
        for (const call of calls) simulation.add(call);
      },
    );
    const users = simulation.users();
    this.keep(simulationId, users);
    return {
      simulationId,
      from: range.from,
      to: range.to,
      ...simulation.figures(),
      affectedUsers: users.length,
      users: fitting(users.slice(0, order.users)),
      ...currency,
    };
  }

  /** Undefined where the simulation is not kept any more. */
  usersAfter(
    simulationId: string,
    after: number,
  ): { readonly users: SimulatedUser[]; readonly next?: number } | undefined {
    const kept = this.#users.get(simulationId);
    if (!kept) return undefined;
    const users = fitting(kept.slice(after, after + usersPage));
    const next = after + users.length;
    return { users, ...(next < kept.length ? { next } : {}) };
  }

  private keep(simulationId: string, users: readonly SimulatedUser[]): void {
    this.#users.delete(simulationId);
    const oldest = this.#users.size >= keptMax ? this.#users.keys().next().value : undefined;
    if (oldest !== undefined) this.#users.delete(oldest);
    this.#users.set(simulationId, users);
  }
}
