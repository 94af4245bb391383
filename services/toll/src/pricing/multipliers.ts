import {
  configReply,
  decideProposal,
  listConfigs,
  listConfigsReply,
  pricingAdminSubjects,
  proposeConfig,
  proposeWithdrawal,
  type ConfigView,
} from '@tollkeeper/contracts';

import { CommandError } from '../command-error.js';
import { checkedBody } from '../commands/correction.js';
import { everyPage } from '../every-page.js';
import type { Operator } from '../operator.js';
import { table } from '../print.js';
import { orderFields } from '../order-fields.js';

export interface ScopeOptions {
  readonly provider?: string;
  readonly model?: string;
  readonly tier?: string;
  readonly default?: boolean;
}

/** The default is a scope that has to be named: it is what a forgotten option would mean. */
export const scopeOf = ({ provider, model, tier, ...options }: ScopeOptions) => {
  const scope = { provider, model, tier };
  const isDefault = Object.values(scope).every((part) => part === undefined);
  if (isDefault === (options.default ?? false)) return scope;
  const message = 'say --tier, --provider, --model, or --default alone for the default multiplier';
  throw new CommandError('invalid-option', message);
};

export interface ProposeOptions extends ScopeOptions {
  readonly reason: string;
  readonly effectiveFrom?: string;
}

export const proposeMultiplier = async (
  operator: Operator,
  multiplier: string,
  { reason, effectiveFrom, ...scope }: ProposeOptions,
): Promise<ConfigView> => {
  const asked = { scope: scopeOf(scope), multiplier, reason, effectiveFrom };
  const body = checkedBody(proposeConfig, asked);
  const subject = pricingAdminSubjects.proposeConfig;
  return (await orderFields(operator, { subject, body, reply: configReply })).config;
};

export interface WithdrawOptions {
  readonly reason: string;
  readonly effectiveFrom?: string;
}

export const withdrawMultiplier = async (
  operator: Operator,
  ruleId: string,
  options: WithdrawOptions,
): Promise<ConfigView> => {
  const body = checkedBody(proposeWithdrawal, { ruleId, ...options });
  const subject = pricingAdminSubjects.proposeWithdrawal;
  return (await orderFields(operator, { subject, body, reply: configReply })).config;
};

export const decideOn = async (
  operator: Operator,
  decision: 'approve' | 'reject',
  proposalId: string,
  reason: string,
): Promise<ConfigView> => {
  const body = checkedBody(decideProposal, { proposalId, reason });
  const subject = pricingAdminSubjects[decision];
  return (await orderFields(operator, { subject, body, reply: configReply })).config;
};

export const multipliers = (
  operator: Operator,
  status: string | undefined,
): Promise<ConfigView[]> =>
  everyPage(async (after) => {
    const body = checkedBody(listConfigs, { status, limit: 500, after });
    const question = { subject: pricingAdminSubjects.listConfigs, body, reply: listConfigsReply };
    const { configs, next } = await orderFields(operator, question);
    return { items: configs, next };
  });

const titles = ['id', 'multiplier', 'margin', 'from', 'state', 'proposed by', 'decided by', 'why'];

/** One line for each rule, and one more for what was asked of its withdrawal. */
export const multiplierLines = (configs: readonly ConfigView[]): string[] =>
  table(
    titles,
    configs.flatMap((config) => [
      [
        config.ruleId,
        config.multiplier,
        config.margin,
        config.effectiveFrom,
        config.inForce ? `${config.status}, in force` : config.status,
        config.proposedBy,
        config.automatic === true ? 'automatically' : (config.decidedBy ?? '-'),
        whyOf(config),
      ],
      ...withdrawalRow(config),
    ]),
  );

const withdrawalRow = ({ withdrawal }: ConfigView): string[][] =>
  withdrawal === undefined
    ? []
    : [
        [
          withdrawal.withdrawalId,
          '-',
          '-',
          withdrawal.effectiveFrom,
          `withdrawal ${withdrawal.status}`,
          withdrawal.proposedBy,
          withdrawal.decidedBy ?? '-',
          whyOf(withdrawal),
        ],
      ];

const whyOf = ({
  reason,
  decisionReason,
}: {
  readonly reason: string;
  readonly decisionReason?: string | undefined;
}): string => (decisionReason === undefined ? reason : `${reason} / ${decisionReason}`);
