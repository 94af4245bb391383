import type { CreditCommand, Release } from './commands.js';
import type { CreditAccount, Reservation } from './state.js';
import { refuse, type Verdict } from './verdict.js';

interface Identified {
  readonly commandId: string;
  readonly commandHash: string;
}

/**
 * A refusal where the account remembers the id of a command that asked for something else, of whatever kind and about
 * whatever reservation.
 */
export const idTakenByAnother = (
  command: CreditCommand,
  account: CreditAccount,
): Verdict | undefined => {
  const { commandId, commandHash } = command;
  const known =
    account.endings.get(commandId) ??
    account.reservations.get(commandId)?.commandHash ??
    account.adminCommands.get(commandId)?.commandHash ??
    account.grantHashes.get(commandId) ??
    account.limits.commandHashes.get(commandId);
  if (known === undefined || known === commandHash) return undefined;
  if (command.type === 'Release' && hasReleased(command, account)) return undefined;
  if (wasCarriedOut(command, account)) return undefined;
  return refuse('replay-mismatch', `${commandId} was sent with other fields`);
};

/**
 * Whether this very command was, though another one has its id, too: memory had forgotten the first when the second came. Each is
 * known still, and gets its first answer.
 */
const wasCarriedOut = (command: CreditCommand, account: CreditAccount): boolean => {
  const { commandId, commandHash } = command;
  const hashes = [
    account.reservations.get(commandId)?.commandHash,
    account.adminCommands.get(commandId)?.commandHash,
    account.grantHashes.get(commandId),
    account.limits.commandHashes.get(commandId),
  ];
  return hashes.includes(commandHash) || hasEnded(command, account);
};

const hasEnded = (command: CreditCommand, account: CreditAccount): boolean => {
  if (!('reservationId' in command)) return false;
  const { commandId, commandHash } = command;
  const { settled, corrections } = account.reservations.get(command.reservationId) ?? {};
  const known = settled?.commandId === commandId ? settled : corrections?.get(commandId);
  return known?.commandHash === commandHash;
};

/** Whether this very command has released the reservation, perhaps for another reason: that it is released is all it says. */
export const hasReleased = (
  { commandId, reservationId }: Release,
  account: CreditAccount,
): boolean => account.reservations.get(reservationId)?.released?.commandId === commandId;

/** A settle, release or correction has been carried out; a charge is known by its reservation already. */
export const rememberEnding = (
  account: CreditAccount,
  reservation: Reservation,
  { commandId, commandHash }: Identified,
): void => {
  if (commandId !== reservation.reservationId) account.endings.set(commandId, commandHash);
};

/** The commands of a reservation that was recalled. */
export const rememberEndings = (account: CreditAccount, reservation: Reservation): void => {
  const { released, settled, corrections } = reservation;
  if (released) rememberEnding(account, reservation, released);
  if (settled) rememberEnding(account, reservation, settled);
  if (!corrections) return;
  for (const [commandId, { commandHash }] of corrections) {
    account.endings.set(commandId, commandHash);
  }
};

/** Of a reservation that leaves memory. */
export const forgetEndings = (
  account: CreditAccount,
  { released, settled, corrections }: Reservation,
): void => {
  if (released) account.endings.delete(released.commandId);
  if (settled) account.endings.delete(settled.commandId);
  if (corrections) for (const commandId of corrections.keys()) account.endings.delete(commandId);
};
