import { Controller, Inject } from '@nestjs/common';
import { MessagePattern, Payload } from '@nestjs/microservices';
import {
  bookQuery,
  pricingSubjects,
  type BookReply,
  type ModelsReply,
  type Refused,
} from '@tollkeeper/contracts';
import { PriceBookReplica } from './application/price-book-replica.js';
import { bookPage } from './book-page.js';
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

  @MessagePattern(pricingSubjects.book)
  book(@Payload() body: unknown): BookReply | Refused {
    const query = bookQuery.safeParse(body ?? {});
    if (!query.success) {
      const message = 'after is a whole number, the next of the page before';
      return { status: 'refused', reason: 'invalid-message', message, retryable: false };
    }
    return bookPage(this.replica.events, query.data.after ?? 0, new Date());
  }
}
