import type { Money } from '@tollkeeper/kernel';
import type { Balance } from '../balances/balances.projection.js';
import type {
  OpenReservationRow,
  ReleasedReservationRow,
} from '../open-reservations/open-reservations.projection.js';
import type { Limits } from '../limits/limits.projection.js';
import type { PriorUsage } from '../usage-log/usage-log.projection.js';

/** What the events of a batch may refer to, as it was before the batch. Reservations by `reservationKey`. */
export interface WorkingSet {
  readonly balances: Map<string, Balance>;
  readonly open: Map<string, OpenReservationRow>;
  readonly released: Map<string, ReleasedReservationRow>;
  readonly usage: Map<string, PriorUsage>;
  readonly limits: Limits;
  /** What is available of those grants that the batch grants or ends, where there are such, by `grantKey`. */
  readonly grants: Map<string, Money>;
  readonly parked: Set<string>;
}

export const emptyWorkingSet = (): WorkingSet => ({
  balances: new Map(),
  open: new Map(),
  released: new Map(),
  usage: new Map(),
  limits: new Map(),
  grants: new Map(),
  parked: new Set(),
});
