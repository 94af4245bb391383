import { isDeepStrictEqual } from 'node:util';
import type { CreditAccountEvent, PricedAttempt } from '@tollkeeper/events';
import { request } from 'undici';
import { formatMoney } from '@tollkeeper/kernel';
import { gpt4oCostUsd } from './money-invariants.js';
import type { Stack } from './stack.js';

/** How one reservation ended, by its events. */
export interface Ending {
  readonly reservationId: string;
  readonly ends: readonly ('Settled' | 'Released' | 'SettledLate')[];
  readonly attempts: readonly PricedAttempt[];
  readonly chargeCredits: string | undefined;
  readonly reason: string | undefined;
}

export const endingsOf = (events: readonly CreditAccountEvent[]): Map<string, Ending> => {
  const endings = new Map<string, Ending>();
  for (const event of events) {
    if (event.type === 'Reserved') {
      const { reservationId } = event.data;
      const none = { ends: [], attempts: [], chargeCredits: undefined, reason: undefined };
      endings.set(reservationId, { reservationId, ...none });
    }
    if (event.type === 'Settled' || event.type === 'SettledLate' || event.type === 'Released') {
      const before = endings.get(event.data.reservationId);
      if (!before) throw new Error(`${event.data.reservationId} ended, but never began`);
      const charge = event.type === 'Released' ? undefined : event.data;
      endings.set(before.reservationId, {
        ...before,
        ends: [...before.ends, event.type],
        ...(charge ? { attempts: charge.attempts, chargeCredits: charge.chargeCredits } : {}),
        ...(event.type === 'Released' ? { reason: event.data.reason } : {}),
      });
    }
  }
  return endings;
};

interface InvoiceLine {
  readonly vendorRequestId: string;
  readonly clientRequestId: string;
  readonly promptTokens: number;
  readonly completionTokens: number;
  readonly billed: boolean;
}

export interface Disagreement {
  readonly vendorRequestId: string;
  readonly why: string;
}

export const invoiceOf = async (stack: Stack): Promise<InvoiceLine[]> => {
  const answer = await request(`${stack.ready().simulatorUrl}/sim/invoice`);
  return (await answer.body.text())
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as InvoiceLine);
};

/** What the vendor's own invoice, for calls of gpt-4o, and the ledger do not agree on, calls flagged estimated or expired aside. */
export const compareWithInvoice = async (
  stack: Stack,
  endings: ReadonlyMap<string, Ending>,
): Promise<{ agreed: number; flagged: number; disagreements: Disagreement[] }> => {
  const lines = await invoiceOf(stack);
  let agreed = 0;
  let flagged = 0;
  const disagreements: Disagreement[] = [];
  for (const line of lines) {
    const ending = endings.get(line.clientRequestId);
    if (!ending || !line.billed) continue;
    const attempt = ending.attempts.find((each) => each.billed);
    if (ending.reason === 'expired' || attempt?.provenance !== 'exact') {
      if (ending.ends.length === 1 && ending.reason !== 'failed' && ending.reason !== 'cancelled') {
        flagged++;
      } else
        disagreements.push({
          ...line,
          why: `billed, but ${ending.ends.join()} ${String(ending.reason)}`,
        });
      continue;
    }
    const { promptTokens, completionTokens } = line;
    const cost = gpt4oCostUsd(promptTokens, completionTokens);
    const ledger = [attempt.vendorRequestId, ...quantities(attempt), attempt.costUsd];
    const tokens = [String(promptTokens), String(completionTokens)];
    const vendor = [line.vendorRequestId, ...tokens, formatMoney(cost)];
    if (isDeepStrictEqual(ledger, vendor)) agreed++;
    else disagreements.push({ ...line, why: `${ledger.join()} is not ${vendor.join()}` });
  }
  return { agreed, flagged, disagreements };
};

const quantities = (attempt: PricedAttempt): string[] =>
  ['input', 'output'].map(
    (meter) => attempt.lines.find((line) => line.meter === meter)?.quantity ?? '0',
  );
