import { Controller, Inject } from '@nestjs/common';
import { MessagePattern } from '@nestjs/microservices';
import { pricingSubjects, type ModelsReply } from '@tollkeeper/contracts';
import { PriceBookReplica } from './application/price-book-replica.js';
import { toModelsReply } from './pricing.convert.js';

/** NATS messages to questions of the price book, answers to replies. */
@Controller()
export class PricingController {
  constructor(@Inject(PriceBookReplica) private readonly replica: PriceBookReplica) {}

  @MessagePattern(pricingSubjects.models)
  models(): ModelsReply {
    const at = new Date();
    return toModelsReply(this.replica.prices.modelsAt(at), at);
  }
}
