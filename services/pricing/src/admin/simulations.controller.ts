import { Controller, Inject } from '@nestjs/common';
import { Ctx, MessagePattern, Payload } from '@nestjs/microservices';
import {
  pricingSimulationSubjects,
  rerateRange,
  simulate,
  simulationUsers,
  type Refused,
  type RerateRangeReply,
  type SimulateReply,
} from '@tollkeeper/contracts';
import { MessageContext, NoReplyError } from '@tollkeeper/messaging';
import { compilePriceVersion } from '@tollkeeper/pricing';
import type { z } from 'zod';
import { BookPolicy } from '../application/book-policy.js';
import type { BookCommand } from '../application/book-writer.js';
import { PriceBookReplica } from '../application/price-book-replica.js';
import { Reratings } from '../application/reratings.js';
import { Simulations } from '../application/simulations.js';
import { scopeFault } from '../domain/multiplier/propose.js';
import { candidateOf } from '../domain/vendor-price/offer.js';
import { AdminDesk, toRefused } from './admin-desk.js';

/** The projection that keeps the calls may be away for a while. */
const unlessSilent = async <T>(work: Promise<T>): Promise<T | Refused> => {
  try {
    return await work;
  } catch (error) {
    if (!(error instanceof NoReplyError)) throw error;
    const message = 'recorded calls cannot be read at the moment; ask again';
    return toRefused({ refused: 'busy', message, retryable: true });
  }
};

/** What a change of prices would have done, and doing it to what was charged. */
@Controller()
export class SimulationsController {
  constructor(
    @Inject(AdminDesk) private readonly desk: AdminDesk,
    @Inject(BookPolicy) private readonly policy: BookPolicy,
    @Inject(Simulations) private readonly simulations: Simulations,
    @Inject(Reratings) private readonly reratings: Reratings,
    @Inject(PriceBookReplica) private readonly replica: PriceBookReplica,
  ) {}

  @MessagePattern(pricingSimulationSubjects.simulate)
  simulate(@Payload() body: unknown, @Ctx() message: MessageContext): Promise<object> {
    return this.desk.serve('simulate', simulate, body, message, (order, command) =>
      this.simulated(order, command),
    );
  }

  @MessagePattern(pricingSimulationSubjects.simulationUsers)
  users(@Payload() body: unknown, @Ctx() message: MessageContext): Promise<object> {
    return this.desk.serve(
      'simulationUsers',
      simulationUsers,
      body,
      message,
      ({ simulationId, after }) =>
        this.simulations.usersAfter(simulationId, after) ??
        toRefused({
          refused: 'unknown-simulation',
          message: 'the simulation is not kept any more; run it again',
        }),
    );
  }

  @MessagePattern(pricingSimulationSubjects.rerate)
  rerate(@Payload() body: unknown, @Ctx() message: MessageContext): Promise<object> {
    return this.desk.serve('rerate', rerateRange, body, message, (order, command) =>
      this.rerated(order, command),
    );
  }

  private async simulated(
    order: z.output<typeof simulate>,
    { commandId, actor }: BookCommand,
  ): Promise<SimulateReply> {
    const at = new Date();
    const context = this.policy.contextAt(at, actor);
    for (const { scope } of order.multipliers) {
      const fault = scopeFault(scope);
      if (fault) return toRefused(fault);
    }
    const versions = [];
    for (const price of order.vendorPrices) {
      const candidate = candidateOf(price, context);
      if ('refused' in candidate) return toRefused(candidate);
      const priceVersion = `${price.provider}:${price.model}@simulated`;
      versions.push(compilePriceVersion({ ...candidate, priceVersion }));
    }
    return unlessSilent(this.simulations.run(commandId, { ...order, versions }, at));
  }

  private async rerated(
    { priceVersion, ...order }: z.output<typeof rerateRange>,
    { commandId: runId, actor }: BookCommand,
  ): Promise<RerateRangeReply> {
    const version = this.replica.prices.version(priceVersion);
    if (!version) {
      const message = `there is no price version ${priceVersion}`;
      return toRefused({ refused: 'unknown-price', message });
    }
    return unlessSilent(this.reratings.run({ ...order, version, runId, actor }, new Date()));
  }
}
