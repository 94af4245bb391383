import type { Release } from './commands.js';
import { today, type DecisionContext } from './context.js';
import { giveBack } from './draw.js';
import { hasReleased } from './known-commands.js';
import type { CreditAccount } from './state.js';
import { accept, nothing, refuse, type Verdict } from './verdict.js';

/**
 * Gives a reservation back whole: the vendor surely did not bill, or nobody ever told. Who has released it is told so
 * again, also when usage came late since.
 */
export const releaseReservation = (
  command: Release,
  account: CreditAccount,
  context: DecisionContext,
): Verdict => {
  const reservation = account.reservations.get(command.reservationId);
  if (!reservation) {
    return refuse('unknown-reservation', `no reservation ${command.reservationId}`);
  }
  if (reservation.state === 'released' && !reservation.charged) return nothing;
  if (hasReleased(command, account)) return nothing;
  if (reservation.charged) {
    return refuse('reservation-closed', `${command.reservationId} has been settled`);
  }
  if (command.reason === 'expired' && context.at < new Date(reservation.expiresAt)) {
    return refuse('invalid-request', `${command.reservationId} has not expired`);
  }
  const back = giveBack(account, reservation.allocations, context.at.getTime());
  return accept({
    type: 'Released',
    data: {
      reservationId: command.reservationId,
      reason: command.reason,
      returned: back.returned,
      ...(back.lapsed.length > 0 ? { lapsed: back.lapsed } : {}),
      ...(command.attempts.length > 0
        ? {
            attempts: command.attempts.map((attempt) => ({
              provider: attempt.provider,
              model: attempt.model,
              ...(attempt.vendorRequestId === undefined
                ? {}
                : { vendorRequestId: attempt.vendorRequestId }),
              ...(attempt.failure === undefined ? {} : { failure: attempt.failure }),
            })),
          }
        : {}),
      localDate: today(account, context),
    },
  });
};
