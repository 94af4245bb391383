import type { CreditAccountEvent } from '@tollkeeper/events';
import type { CreditCommand } from './commands.js';
import { given, startedAt } from './credit-account.fixture.js';
import { forgetClosed } from './memory.js';
import type { PastEvent } from './recall.js';
import type { CreditAccount } from './state.js';

/** A command, and how many seconds after the start it is carried out. */
export type Timed = readonly [command: CreditCommand, seconds?: number];

export const secondsLater = (seconds: number): Date =>
  new Date(startedAt.getTime() + seconds * 1_000);

/** An account that has carried out some commands, and what the store then holds of them. */
export const history = (first: readonly CreditAccountEvent[], commands: readonly Timed[]) => {
  let step = given(...first);
  let account: CreditAccount | undefined;
  const past: PastEvent[] = [];
  for (const [command, seconds = 0] of commands) {
    const outcome = step.when(command, secondsLater(seconds));
    const { events } = outcome;
    ({ account } = outcome);
    const occurredAt = secondsLater(seconds).toISOString();
    const meta = { commandId: command.commandId, commandHash: command.commandHash, occurredAt };
    let revision = account.revision - events.length;
    for (const event of events) past.push({ event, meta, revision: ++revision });
    step = outcome;
  }
  if (!account) throw new Error('no command was carried out');
  return { step, account, past };
};

/** What an index finds of a reservation. */
export const eventsOf = (past: readonly PastEvent[], reservationId: string): PastEvent[] =>
  past.filter(
    ({ event: { data } }) => 'reservationId' in data && data.reservationId === reservationId,
  );

export const forgetAll = (account: CreditAccount): void => {
  forgetClosed(account, Infinity, { closedMs: 0, closedMax: 0 });
};
