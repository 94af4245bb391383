import { Controller, Get, Inject, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { healthToken } from '../gateway.tokens.js';

export interface Health {
  readonly status: 'ok' | 'not-ready';
  readonly inFlight: number;
  readonly recovering: number;
  readonly models: number;
  /** `refused` counts records that a person must look at: `refused.jsonl` in the data directory. */
  readonly spool: { readonly pending: number; readonly refused: number; readonly error?: string };
  readonly journal: { readonly open: number; readonly error?: string };
  readonly completionEventsSkipped: number;
}

@Controller()
export class HealthController {
  constructor(@Inject(healthToken) private readonly health: () => Health) {}

  /** 503 where no new call would be taken. */
  @Get('healthz')
  read(@Res() reply: FastifyReply): void {
    const health = this.health();
    void reply.code(health.status === 'ok' ? 200 : 503).send(health);
  }
}
