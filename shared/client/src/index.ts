export type { Amount } from './amount.js';
export type * from './answers.js';
export type { ConnectOptions, RetryOptions, TlsOption } from './connect-options.js';
export { connectTollkeeper } from './connect.js';
export {
  ClientClosedError,
  NotPermittedError,
  SettlementPendingError,
  SettlementRefusedError,
  TollkeeperError,
  TollkeeperUnavailableError,
  UnexpectedAnswerError,
  type CommandOutcome,
  type UnsettledCommand,
  type WorkDone,
} from './errors.js';
export type { OpenReservation, Work } from './open-reservation.js';
export { personalAccountId } from './personal-account-id.js';
export {
  AccountFrozenError,
  DebtOutstandingError,
  InsufficientCreditsError,
  LimitReachedError,
  RefusedError,
  ReplayMismatchError,
  UnknownAccountError,
  UnknownPriceError,
  UnknownReservationError,
  type Suggestion,
} from './refusals.js';
export type * from './requests.js';
export type { TollkeeperClient } from './tollkeeper-client.js';
export type { Who } from './who.js';
