import { accessChanged, accessChangedSubject, type AccessChanged } from '@tollkeeper/contracts';
import { messageOf } from '@tollkeeper/kernel';
import type { NatsConnection } from '@tollkeeper/messaging';
import type { ApiKeys } from './api-keys.js';

/**
 * What takes away access at one gateway, told to all of them. A gateway that does not hear it reads its keys
 * again as they grow old.
 */
export class AccessChanges {
  constructor(
    private readonly nats: NatsConnection,
    private readonly keys: Pick<ApiKeys, 'forget'>,
    private readonly onError: (cause: string) => void,
  ) {
    nats.subscribe(accessChangedSubject, {
      callback: (error, message) => {
        if (error) this.onError(error.message);
        else this.heard(message.string());
      },
    });
  }

  /** In force here when it returns. */
  tell(accountId: string): void {
    this.keys.forget(accountId);
    const news: AccessChanged = { accountId };
    try {
      this.nats.publish(accessChangedSubject, JSON.stringify(news));
    } catch (error) {
      this.onError(`other gateways were not told: ${messageOf(error)}`);
    }
  }

  private heard(text: string): void {
    try {
      this.keys.forget(accessChanged.parse(JSON.parse(text)).accountId);
    } catch (error) {
      this.onError(`${accessChangedSubject}: ${messageOf(error)}`);
    }
  }
}
