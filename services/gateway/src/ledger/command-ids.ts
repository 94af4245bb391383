/**
 * Ids of the commands that end a reservation, made from the reservation's own: whoever ends it, and however
 * often, sends the same id. The last hex digit of a UUIDv7 is random, so changing it keeps the id's age.
 */
const derive = (reservationId: string, mask: number): string => {
  const last = Number.parseInt(reservationId.slice(-1), 16);
  return reservationId.slice(0, -1) + (last ^ mask).toString(16);
};

export const settleIdOf = (reservationId: string): string => derive(reservationId, 1);
export const releaseIdOf = (reservationId: string): string => derive(reservationId, 2);
