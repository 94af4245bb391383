import type {
  Adjusted,
  Affordability,
  Balance,
  Granted,
  PersonalAccount,
  Refunded,
  Reservation,
  Settlement,
} from './answers.js';
import type { WorkDone } from './errors.js';
import type { OpenReservation, Work } from './open-reservation.js';
import type {
  AdjustRequest,
  CallOptions,
  ChargeRequest,
  CorrectRequest,
  GrantRequest,
  PersonalAccountRequest,
  RefundRequest,
  ReleaseRequest,
  ReserveRequest,
  SettleRequest,
} from './requests.js';
import type { Who } from './who.js';

/**
 * Prepaid credits, as the account's owner knows them at this moment.
 *
 * Every method is safe to retry, and is retried until its timeout, always with the same command id.
 * What is not surely a yes throws: a RefusedError where the service said no, a
 * TollkeeperUnavailableError where it did not answer, a TypeError on a wrong argument.
 */
export interface TollkeeperClient {
  balance(who: Who, options?: CallOptions): Promise<Balance>;

  /** A dry run of `reserve`: nothing is set aside, so that it may have changed a moment later. */
  affordability(who: Who, request: ReserveRequest, options?: CallOptions): Promise<Affordability>;

  /** False only where the service said so; no answer throws. */
  canAfford(who: Who, request: ReserveRequest, options?: CallOptions): Promise<boolean>;

  /** Sets the credits aside before the vendor is called. End it with `settle` or `release`. */
  reserve(who: Who, request: ReserveRequest, options?: CallOptions): Promise<Reservation>;

  /** Charges what was used; what was not returns to the balance. */
  settle(who: Who, request: SettleRequest, options?: CallOptions): Promise<Settlement>;

  /** Gives everything back. Only where the vendor surely did not bill. */
  release(who: Who, request: ReleaseRequest, options?: CallOptions): Promise<void>;

  /** Replaces what was settled as an estimate, or as unknown, by the exact usage. */
  correct(who: Who, request: CorrectRequest, options?: CallOptions): Promise<Settlement>;

  /** Reserves and settles a plain amount in one step. */
  charge(who: Who, request: ChargeRequest, options?: CallOptions): Promise<Settlement>;

  /**
   * Reserves, does the work, and settles what it returns. See the README for what happens when the
   * work throws. The signal is for the reserve: give it to the work's own calls, too, whose end is waited for.
   *
   * @throws SettlementPendingError, SettlementRefusedError where the work is done and not settled
   */
  withReservation<T>(
    who: Who,
    request: ReserveRequest,
    work: (reservation: OpenReservation) => Promise<Work<T>>,
    options?: CallOptions,
  ): Promise<WorkDone<T>>;

  /** Opens the user's personal account, once: asked again, it says that it was open. Takes the operator's credentials. */
  openPersonalAccount(
    userId: string,
    request?: PersonalAccountRequest,
    options?: CallOptions,
  ): Promise<PersonalAccount>;

  /** Takes the operator's credentials. */
  grant(who: Who, request: GrantRequest, options?: CallOptions): Promise<Granted>;

  /** Gives back what a reservation was charged, all of it or a part. Takes the operator's credentials. */
  refund(who: Who, request: RefundRequest, options?: CallOptions): Promise<Refunded>;

  /** Up or down, by a reason. Takes the operator's credentials. */
  adjust(who: Who, request: AdjustRequest, options?: CallOptions): Promise<Adjusted>;

  /** Lets what was sent be answered, then hangs up. */
  close(): Promise<void>;
}
