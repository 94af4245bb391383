import type { ConfigView, ListConfigsReply } from '@tollkeeper/contracts';
import { formatMoney, parseMoney } from '@tollkeeper/kernel';
import { levelOf } from '@tollkeeper/pricing';
import { marginOf } from '../domain/multiplier/propose.js';
import {
  ruleInForce,
  type Multipliers,
  type Rule,
  type Withdrawal,
} from '../domain/multiplier/state.js';
import { pageOf, type PageQuery } from './page.js';

const marginPlaces = 6;

const toMargin = (multiplier: string): string => {
  const amount = parseMoney(multiplier);
  return amount.isZero() ? '0' : formatMoney(marginOf(amount).toDecimalPlaces(marginPlaces));
};

const toDecision = ({
  decidedBy,
  decidedAt,
  decisionReason,
}: Rule | Withdrawal): Pick<ConfigView, 'decidedBy' | 'decidedAt' | 'decisionReason'> => ({
  ...(decidedBy === undefined ? {} : { decidedBy }),
  ...(decidedAt === undefined ? {} : { decidedAt }),
  ...(decisionReason === undefined ? {} : { decisionReason }),
});

const toWithdrawal = (withdrawal: Withdrawal): NonNullable<ConfigView['withdrawal']> => {
  const { withdrawalId, status, effectiveFrom, proposedBy, proposedAt, reason } = withdrawal;
  const proposed = { withdrawalId, status, effectiveFrom, proposedBy, proposedAt, reason };
  return { ...proposed, ...toDecision(withdrawal) };
};

/** A rule as it stands at a moment, with its latest withdrawal. */
export const toConfigView = (state: Multipliers, rule: Rule, at: Date): ConfigView => {
  const { ruleId, scope, multiplier, effectiveFrom, status, proposedBy, proposedAt, reason } = rule;
  const withdrawal = rule.withdrawals.at(-1);
  return {
    ruleId,
    scope,
    level: levelOf(scope) ?? '',
    multiplier,
    margin: toMargin(multiplier),
    effectiveFrom,
    status,
    inForce: ruleInForce(state, at)?.ruleId === ruleId,
    proposedBy,
    proposedAt,
    reason,
    ...toDecision(rule),
    ...(rule.automatic ? { automatic: true } : {}),
    ...(withdrawal ? { withdrawal: toWithdrawal(withdrawal) } : {}),
  };
};

interface Row {
  readonly state: Multipliers;
  readonly rule: Rule;
}

const newestFirst = (a: Row, b: Row): number =>
  a.rule.proposedAt === b.rule.proposedAt
    ? compare(a.rule.ruleId, b.rule.ruleId)
    : compare(b.rule.proposedAt, a.rule.proposedAt);

export const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/** What awaits a decision is proposed, and so is a rule that somebody wants withdrawn. */
const isOf = ({ status, withdrawals }: Rule, asked: ConfigView['status'] | undefined): boolean =>
  asked === undefined ||
  status === asked ||
  (asked === 'proposed' && withdrawals.at(-1)?.status === 'proposed');

/** Newest proposals first. */
export const toConfigsReply = (
  states: Iterable<Multipliers>,
  query: PageQuery & { readonly status?: ConfigView['status'] | undefined },
  at: Date,
): ListConfigsReply => {
  const rows = [...states].flatMap((state) => state.rules.map((rule): Row => ({ state, rule })));
  rows.sort(newestFirst);
  const { items, next } = pageOf(
    rows,
    query,
    ({ rule }) => rule.ruleId,
    ({ state, rule }) => (isOf(rule, query.status) ? toConfigView(state, rule, at) : undefined),
  );
  return {
    configs: items,
    ...(next === undefined ? {} : { next }),
    asOf: at.toISOString(),
  };
};
