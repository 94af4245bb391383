import { Controller, Inject } from '@nestjs/common';
import { Ctx, MessagePattern, Payload } from '@nestjs/microservices';
import {
  importPrices,
  listVendorPrices,
  pricingAdminSubjects,
  publishVendorPrice,
  withdrawVendorPrice,
  type VendorPriceReply,
} from '@tollkeeper/contracts';
import { MessageContext } from '@tollkeeper/messaging';
import { isRefused, type WriteRefusal, type Written } from '../application/book-writer.js';
import { PriceImports } from '../application/import-prices.js';
import { PriceBookCommands } from '../application/price-book-commands.js';
import { PriceBookReplica } from '../application/price-book-replica.js';
import { versionOf, type ModelPrices } from '../domain/vendor-price/state.js';
import { toImportReply } from './import.convert.js';
import { AdminDesk, toRefused } from './admin-desk.js';
import { toVendorPricesReply, toVendorPriceView } from './vendor-prices.convert.js';

/** The version that a command was about, as it stood right after. */
const toVendorPriceReply = (written: Written<ModelPrices> | WriteRefusal): VendorPriceReply => {
  if (isRefused(written)) return toRefused(written);
  const { state, events, at } = written;
  const first = events[0]?.data;
  const version =
    first && 'priceVersion' in first ? versionOf(state, first.priceVersion) : undefined;
  if (!version) throw new Error('a command about a price recorded nothing about one');
  return { status: 'accepted', price: toVendorPriceView(state, version, at) };
};

/** Vendor prices: published and withdrawn one by one, or imported. */
@Controller()
export class VendorPricesController {
  constructor(
    @Inject(AdminDesk) private readonly desk: AdminDesk,
    @Inject(PriceBookCommands) private readonly commands: PriceBookCommands,
    @Inject(PriceImports) private readonly imports: PriceImports,
    @Inject(PriceBookReplica) private readonly replica: PriceBookReplica,
  ) {}

  @MessagePattern(pricingAdminSubjects.listVendorPrices)
  list(@Payload() body: unknown, @Ctx() message: MessageContext): Promise<object> {
    return this.desk.serve('listVendorPrices', listVendorPrices, body, message, (query) =>
      toVendorPricesReply(this.replica.records.prices.values(), query, new Date()),
    );
  }

  @MessagePattern(pricingAdminSubjects.publishVendorPrice)
  publish(@Payload() body: unknown, @Ctx() message: MessageContext): Promise<object> {
    return this.desk.serve(
      'publishVendorPrice',
      publishVendorPrice,
      body,
      message,
      async ({ price, reason }, command) =>
        toVendorPriceReply(await this.commands.publish(price, reason, command)),
    );
  }

  @MessagePattern(pricingAdminSubjects.withdrawVendorPrice)
  withdraw(@Payload() body: unknown, @Ctx() message: MessageContext): Promise<object> {
    return this.desk.serve(
      'withdrawVendorPrice',
      withdrawVendorPrice,
      body,
      message,
      async (fields, command) =>
        toVendorPriceReply(await this.commands.withdrawPrice(fields, command)),
    );
  }

  @MessagePattern(pricingAdminSubjects.importPrices)
  import(@Payload() body: unknown, @Ctx() message: MessageContext): Promise<object> {
    return this.desk.serve('importPrices', importPrices, body, message, async (fields, command) =>
      toImportReply(fields, await this.imports.import(fields, command)),
    );
  }
}
