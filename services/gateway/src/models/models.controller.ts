import { Controller, Get, Inject, Req } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { ApiKeys } from '../identity/api-keys.js';
import { Catalogue } from './catalogue.js';

@Controller()
export class ModelsController {
  constructor(
    @Inject(ApiKeys) private readonly keys: ApiKeys,
    @Inject(Catalogue) private readonly catalogue: Catalogue,
  ) {}

  @Get('v1/models')
  async list(@Req() request: FastifyRequest): Promise<object> {
    await this.keys.identify(request.headers.authorization);
    const data = this.catalogue.list().map(({ name, candidate }) => ({
      id: name,
      object: 'model',
      created: Math.floor(Date.parse(candidate.effectiveFrom) / 1000),
      owned_by: candidate.provider,
    }));
    return { object: 'list', data };
  }
}
