import * as contracts from '@tollkeeper/contracts';
import { defaultGrantPriority } from '@tollkeeper/events';
import { formatMoney, parseMoney } from '@tollkeeper/kernel';
import {
  identify,
  InvalidRequest,
  parse,
  requestOf,
  type Converter,
  type Envelope,
  type Request,
} from './credit-request.js';
import type { AdminCommand } from './domain/credit-account/commands.js';
import { availableCredits, owedCredits } from './domain/credit-account/state.js';

/** Commands of operators, beside opening and granting. */
export type OperatorVerb =
  'void' | 'refund' | 'adjust' | 'tier' | 'freeze' | 'unfreeze' | 'recur' | 'alerts' | 'topUpRule';

const accepted = (): contracts.Accepted => ({ status: 'accepted' });

/** Never shed, like all that an operator asks for. */
const simply = (
  command: AdminCommand,
  body: Parameters<typeof requestOf>[1],
  envelope: Envelope,
): Request => requestOf(command, body, envelope, true, accepted);

const optionalMoney = (text: string | undefined) =>
  text === undefined ? undefined : parseMoney(text);

const voidRequest: Converter = (raw, envelope) => {
  const body = parse(contracts.voidGrant, raw);
  const { grantId, reasonCode, reference } = body;
  const ids = identify('VoidGrant', body, envelope);
  return simply({ type: 'VoidGrant', ...ids, grantId, reasonCode, reference }, body, envelope);
};

const refundRequest: Converter = (raw, envelope) => {
  const body = parse(contracts.refund, raw);
  const ids = identify('Refund', body, envelope);
  const { reservationId, reasonCode, reference } = body;
  const amountCredits = optionalMoney(body.amountCredits);
  return requestOf(
    { type: 'Refund', ...ids, reservationId, amountCredits, reasonCode, reference },
    body,
    envelope,
    true,
    (account, at): contracts.RefundReply => ({
      status: 'accepted',
      refundId: ids.commandId,
      refundedCredits: account.adminCommands.get(ids.commandId)?.refundedCredits ?? '0',
      available: formatMoney(availableCredits(account, at.getTime())),
    }),
  );
};

const adjustRequest: Converter = (raw, envelope) => {
  const body = parse(contracts.adjust, raw);
  // Who gave or took without a payment or a call is what an auditor asks first.
  if (!envelope.actor) throw new InvalidRequest('an adjustment needs an actor');
  const ids = identify('Adjust', body, envelope);
  const { reasonCode, reference, bookDebt } = body;
  const amountCredits = parseMoney(body.amountCredits);
  return requestOf(
    { type: 'Adjust', ...ids, amountCredits, reasonCode, reference, bookDebt },
    body,
    envelope,
    true,
    (account, at): contracts.AdjustReply => ({
      status: 'accepted',
      adjustmentId: ids.commandId,
      available: formatMoney(availableCredits(account, at.getTime())),
      debt: formatMoney(owedCredits(account, at.getTime())),
    }),
  );
};

const tierRequest: Converter = (raw, envelope) => {
  const body = parse(contracts.changeTier, raw);
  const { tier, reason } = body;
  const ids = identify('ChangeTier', body, envelope);
  return simply({ type: 'ChangeTier', ...ids, tier, reason }, body, envelope);
};

const freezeRequest =
  (type: 'Freeze' | 'Unfreeze'): Converter =>
  (raw, envelope) => {
    const body = parse(contracts.freeze, raw);
    const ids = identify(type, body, envelope);
    return simply({ type, ...ids, reason: body.reason }, body, envelope);
  };

const recurRequest: Converter = (raw, envelope) => {
  const body = parse(contracts.recur, raw);
  const { recurringId, kind, dayOfMonth, priority = defaultGrantPriority } = body;
  return simply(
    {
      type: 'SetRecurringGrant',
      ...identify('SetRecurringGrant', body, envelope),
      recurringId,
      kind,
      amountCredits: parseMoney(body.amountCredits),
      priority,
      dayOfMonth,
      rolloverCapCredits: optionalMoney(body.rolloverCapCredits),
    },
    body,
    envelope,
  );
};

const alertsRequest: Converter = (raw, envelope) => {
  const body = parse(contracts.setAlerts, raw);
  const ids = identify('SetAlerts', body, envelope);
  const thresholdsCredits = body.thresholdsCredits.map(parseMoney);
  return simply({ type: 'SetAlerts', ...ids, thresholdsCredits }, body, envelope);
};

const topUpRuleRequest: Converter = (raw, envelope) => {
  const body = parse(contracts.setTopUpRule, raw);
  const { coolDownSeconds, enabled } = body;
  return simply(
    {
      type: 'SetTopUpRule',
      ...identify('SetTopUpRule', body, envelope),
      thresholdCredits: parseMoney(body.thresholdCredits),
      amountCredits: parseMoney(body.amountCredits),
      coolDownSeconds,
      monthlyCapCredits: parseMoney(body.monthlyCapCredits),
      enabled,
    },
    body,
    envelope,
  );
};

export const operatorConverters: Readonly<Record<OperatorVerb, Converter>> = {
  void: voidRequest,
  refund: refundRequest,
  adjust: adjustRequest,
  tier: tierRequest,
  freeze: freezeRequest('Freeze'),
  unfreeze: freezeRequest('Unfreeze'),
  recur: recurRequest,
  alerts: alertsRequest,
  topUpRule: topUpRuleRequest,
};
