import { Controller, Header, HttpCode, Inject, Post, Req, Res } from '@nestjs/common';
import {
  pricingSimulationSubjects,
  rerateRangeReply,
  simulateReply,
  simulationRows,
  simulationUsersReply,
  type SimulationView,
} from '@tollkeeper/contracts';
import { stringify } from 'csv-stringify/sync';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { readCall } from './pricing-call.js';
import { PricingDesk } from './pricing-desk.js';
import { rerateOperation, simulateOperation } from './simulations.operations.js';

/** A quarter's calls take a while. */
const patienceMs = 50_000;

const wantsCsv = ({ headers }: FastifyRequest): boolean =>
  headers.accept?.includes('text/csv') ?? false;

/** What a change of prices would have done, and doing it to what was charged. */
@Controller('api/admin/pricing')
export class SimulationsController {
  constructor(@Inject(PricingDesk) private readonly desk: PricingDesk) {}

  @Post('simulate')
  @HttpCode(200)
  @Header('Vary', 'Accept')
  async simulate(
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) answer: FastifyReply,
  ): Promise<object | string> {
    const call = readCall(simulateOperation, request);
    const subject = pricingSimulationSubjects.simulate;
    const view = await this.desk.ask(call, {
      subject,
      body: call.fields,
      reply: simulateReply,
      patienceMs,
    });
    if (!wantsCsv(request)) return view;
    answer.type('text/csv; charset=utf-8');
    return stringify(simulationRows(view, await this.usersOf(call.adminKey, view)));
  }

  @Post('rerate')
  @HttpCode(200)
  rerate(@Req() request: FastifyRequest): Promise<object> {
    const call = readCall(rerateOperation, request);
    const subject = pricingSimulationSubjects.rerate;
    return this.desk.ask(call, {
      subject,
      body: call.fields,
      reply: rerateRangeReply,
      patienceMs,
    });
  }

  /** All that are affected, page by page. */
  private async usersOf(
    adminKey: string,
    { simulationId, users: first, affectedUsers }: SimulationView,
  ): Promise<SimulationView['users']> {
    const users = [...first];
    while (users.length < affectedUsers) {
      const page = await this.desk.ask(
        { adminKey },
        {
          subject: pricingSimulationSubjects.simulationUsers,
          body: { simulationId, after: users.length },
          reply: simulationUsersReply,
        },
      );
      if (page.users.length === 0) break;
      users.push(...page.users);
    }
    return users;
  }
}
