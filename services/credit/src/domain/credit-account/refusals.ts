/** Why a command is not carried out: facts, values, never exceptions. */
export type CreditRefusal =
  | 'unknown-account'
  | 'account-exists'
  | 'insufficient-credits'
  | 'debt-outstanding'
  | 'unknown-price'
  | 'replay-mismatch'
  | 'unknown-reservation'
  | 'reservation-closed'
  | 'amount-not-chargeable'
  | 'unknown-limit'
  | 'limit-reached'
  | 'rate-limited'
  | 'model-not-in-tier'
  | 'free-tier-budget'
  | 'invalid-request';
