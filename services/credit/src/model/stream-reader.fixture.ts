import type { CreditAccountEvent, Decoded } from '@tollkeeper/events';
import { StreamPromises } from '@tollkeeper/testing';

/** Reads an account's events one after the other: holds them to the promises, and gathers what they tell. */
export class StreamReader {
  readonly promises = new StreamPromises();
  /** Their types. */
  readonly types = new Set<string>();
  events = 0;
  private told: string[] = [];

  /** @throws BrokenPromiseError */
  take({ metadata, ...event }: Decoded<CreditAccountEvent>): void {
    this.events++;
    this.types.add(event.type);
    const told = noticeOf(event);
    if (told !== undefined) this.told.push(told);
    this.promises.apply(event, metadata.occurredAt);
  }

  /** Low balances, wanted top-ups and passed soft limits since the last question, in the model's words. */
  takeTold(): readonly string[] {
    const { told } = this;
    this.told = [];
    return told;
  }
}

const noticeOf = ({ type, data }: CreditAccountEvent): string | undefined => {
  switch (type) {
    case 'LowBalanceReached':
      return `${type} ${data.thresholdCredits} at ${String(data.balanceCredits)}, ${data.availableCredits} available`;
    case 'TopUpRequested':
      return `${type} ${data.topUpId} ${data.amountCredits} at ${data.availableCredits}`;
    case 'LimitWarned':
      return `${type} ${data.limitId} ${data.period} ${data.used} of ${data.amount}`;
    default:
      return undefined;
  }
};
