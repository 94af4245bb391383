import { categoryOf } from '@tollkeeper/event-store';
import type { Recorded } from '../domain/price-book/recorded.js';
import { evolveMultipliers, noMultipliers, type Multipliers } from '../domain/multiplier/state.js';
import { evolveSetting, noSetting, type Setting } from '../domain/setting/state.js';
import { evolvePrices, noPrices, type ModelPrices } from '../domain/vendor-price/state.js';

const applyTo = <S>(
  states: Map<string, S>,
  stream: string,
  event: Recorded,
  none: S,
  evolve: (state: S, event: Recorded) => S,
): void => {
  states.set(stream, evolve(states.get(stream) ?? none, event));
};

/** Everything that was recorded, with who and when, by stream. What a price is now: `PriceBook`. */
export class PriceBookRecords {
  readonly multipliers = new Map<string, Multipliers>();
  readonly prices = new Map<string, ModelPrices>();
  readonly settings = new Map<string, Setting>();
  readonly #alertStreams = new Map<string, string>();
  readonly #commands = new Map<string, string>();

  /** @throws CorruptStreamError */
  apply(stream: string, event: Recorded): void {
    switch (categoryOf(stream)) {
      case 'multiplier':
        applyTo(this.multipliers, stream, event, noMultipliers, evolveMultipliers);
        break;
      case 'vendorPrice':
        applyTo(this.prices, stream, event, noPrices, evolvePrices);
        break;
      default:
        applyTo(this.settings, stream, event, noSetting, evolveSetting);
    }
    if (event.type === 'PriceAlertRaised') this.#alertStreams.set(event.data.alertId, stream);
    this.#commands.set(event.metadata.commandId, event.metadata.commandHash);
  }

  /** The stream that an alert was raised in. */
  streamOfAlert(alertId: string): string | undefined {
    return this.#alertStreams.get(alertId);
  }

  /** The hash of the command that was carried out under this id, whatever it was about. */
  commandHash(commandId: string): string | undefined {
    return this.#commands.get(commandId);
  }
}
