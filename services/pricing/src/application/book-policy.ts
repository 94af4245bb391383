import { settingStream } from '@tollkeeper/events';
import { exchangeRateSetting, settingDefinition } from '@tollkeeper/pricing';
import { inForceAt, type SettingEntry } from '../domain/setting/state.js';
import type { ExchangeRate, PriceContext } from '../domain/vendor-price/offer.js';
import type { PriceBookReplica } from './price-book-replica.js';

type PriceFault = PriceContext['priceFault'];

/** What decisions about the price book depend on besides their stream: settings in force, the lead time, the sanity gate. */
export class BookPolicy {
  constructor(
    private readonly replica: PriceBookReplica,
    private readonly leadMs: number,
    private readonly priceFault: PriceFault,
  ) {}

  contextAt(at: Date, actor: string): PriceContext {
    return {
      at,
      actor,
      leadMs: this.leadMs,
      setting: (name) => this.setting(name, at),
      settingSetBy: (name) => this.settingEntry(name, at)?.setBy,
      exchangeRate: (currency) => this.exchangeRate(currency, at),
      priceFault: this.priceFault,
    };
  }

  setting(name: string, at: Date): string {
    return this.replica.prices.settingAt(name, at) ?? settingDefinition(name)?.standard ?? '';
  }

  private exchangeRate(currency: string, at: Date): ExchangeRate | undefined {
    const entry = this.settingEntry(exchangeRateSetting(currency), at);
    return entry && { usdPerUnit: entry.value, asOf: entry.effectiveFrom.slice(0, 10) };
  }

  private settingEntry(name: string, at: Date): SettingEntry | undefined {
    const recorded = this.replica.records.settings.get(settingStream(name));
    return recorded && inForceAt(recorded.entries, at);
  }
}
