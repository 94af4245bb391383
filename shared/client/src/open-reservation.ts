import type { Reservation, Settlement } from './answers.js';
import type { ModelRef, Spending } from './requests.js';

/** What the work came to. Without spending, only where it has settled or released by itself. */
export type Work<T> = { readonly value: T } & (
  Spending | { readonly attempts?: undefined; readonly amountCredits?: undefined }
);

/** A reservation while its work is done. */
export interface OpenReservation extends Reservation {
  /**
   * Say it right before the vendor is called, and which candidate. From here on a failure without
   * usage is no longer released: the vendor may have billed it, so it is charged at the bound, marked
   * `unknown`, until it is corrected or refunded.
   */
  vendorCalled(model?: ModelRef): void;

  /**
   * What is known so far of the usage; the last report counts, and is settled even if the work throws. Says that the
   * vendor was called, as `settle` does.
   */
  report(spending: Spending): void;

  /** Settles now. If it gets no answer, it is sent again when the work ends. */
  settle(spending: Spending): Promise<Settlement>;

  /**
   * Gives everything back now. Only where the vendor surely did not bill. If it gets no answer, it is sent again when the
   * work ends, unless a vendor was called since, or there is usage to settle.
   */
  release(reason?: 'failed' | 'cancelled'): Promise<void>;
}
