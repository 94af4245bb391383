import type { AffordView } from '@tollkeeper/contracts';
import { formatMoney } from '@tollkeeper/kernel';
import type { Envelope, Request } from './credit-request.js';
import { reserveRequest } from './credit.convert.js';
import { decide } from './domain/credit-account/decide.js';
import { accountOpenedBy } from './domain/credit-account/open-account.js';
import type { CreditAccountEvent } from '@tollkeeper/events';
import { availableCredits, type CreditAccount } from './domain/credit-account/state.js';
import type { Verdict } from './domain/credit-account/verdict.js';

/** A dry run: what rates and the very decision would make of a reserve now, of which nothing is stored. Throws InvalidRequest. */
export const affordRequest = (raw: unknown, envelope: Envelope): Request => {
  // Under an id of its own: a reservation that was made under the caller's is no answer to whether there is another.
  const asked = reserveRequest(withoutId(raw), { ...envelope, commandId: undefined });
  const { command } = asked;
  if (!command) throw new Error('a reserve is a command');
  return {
    ...asked,
    command: undefined,
    seesUnopened: true,
    answer: (account, at, context, admit) => {
      const admission = admit(command);
      const verdict: Verdict =
        'refusal' in admission
          ? { type: 'refuse', refusal: admission.refusal }
          : decide(admission.command, account, context);
      const seen = accountOpenedBy(command, account, context) ?? account;
      return affordView(verdict, seen, at.getTime());
    },
  };
};

const withoutId = (raw: unknown): unknown =>
  typeof raw === 'object' && raw !== null ? { ...raw, commandId: undefined } : raw;

const affordView = (verdict: Verdict, account: CreditAccount, atMs: number): AffordView => {
  const available = formatMoney(availableCredits(account, atMs));
  if (verdict.type === 'refuse') {
    const { reason, details } = verdict.refusal;
    // Of a limit in another unit these are no credits.
    const isCredits = details?.['unit'] === undefined || details['unit'] === 'credits';
    const required = isCredits ? details?.['required'] : undefined;
    return {
      affordable: false,
      reason,
      ...(typeof required === 'string' ? { required } : {}),
      available,
    };
  }
  const reserved = verdict.events.find(isReserved);
  if (!reserved) throw new Error('a reserve was accepted without a reservation');
  const { amountCredits, quote } = reserved.data;
  return {
    affordable: true,
    required: amountCredits,
    available,
    ...(quote ? { outputTokens: quote.bound.outputTokens } : {}),
  };
};

type Reserved = Extract<CreditAccountEvent, { type: 'Reserved' }>;

const isReserved = (event: CreditAccountEvent): event is Reserved => event.type === 'Reserved';
