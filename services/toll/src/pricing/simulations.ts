import { writeFile } from 'node:fs/promises';
import {
  pricingSimulationSubjects,
  rerateRange,
  rerateRangeReply,
  simulate,
  simulateReply,
  simulationRows,
  simulationUsersReply,
  type RerateView,
  type SimulatedFigures,
  type SimulationView,
} from '@tollkeeper/contracts';
import { messageOf } from '@tollkeeper/kernel';
import { stringify } from 'csv-stringify/sync';

import { CommandError } from '../command-error.js';
import { checkedBody } from '../commands/correction.js';
import { checkedCount } from '../commands/policy.js';
import type { Operator } from '../operator.js';
import { columns, table } from '../print.js';
import { orderFields } from '../order-fields.js';
import { readDocument } from './vendor-prices.js';

const timeoutMs = 600_000;

export interface RangeOptions {
  readonly days?: string;
  readonly from?: string;
  readonly to?: string;
  readonly account?: string;
}

const rangeOf = ({ days, from, to, account }: RangeOptions) => ({
  days: days === undefined ? undefined : checkedCount('days', days),
  from,
  to,
  accountId: account,
});

export interface SimulateOptions {
  readonly multiplier?: readonly string[];
  readonly price?: readonly string[];
}

/** `default=1.6`, `tier:pro=1.4`, `provider:openai,model:gpt-4o=2`. */
export const multiplierOf = (
  text: string,
): { readonly scope: object; readonly multiplier: string } => {
  const [, names, multiplier] = /^(.+)=([\d.]+)$/.exec(text) ?? [];
  const parts = names === undefined || names === 'default' ? [] : names.split(',');
  const scope: Record<string, string> = {};
  for (const part of parts) {
    const [, name, value] = /^(provider|model|tier):(.+)$/.exec(part) ?? [];
    if (name === undefined || value === undefined) break;
    scope[name] = value;
  }
  if (multiplier !== undefined && Object.keys(scope).length === parts.length) {
    return { scope, multiplier };
  }
  const message = `"${text}" is not like default=1.6, tier:pro=1.4 or model:gpt-4o=2`;
  throw new CommandError('invalid-option', message);
};

export const simulateProposal = async (
  operator: Operator,
  { multiplier = [], price = [], ...range }: SimulateOptions & RangeOptions,
): Promise<SimulationView> => {
  const vendorPrices = [];
  for (const file of price) vendorPrices.push(await readDocument(file));
  const multipliers = multiplier.map(multiplierOf);
  const body = checkedBody(simulate, { ...rangeOf(range), multipliers, vendorPrices });
  const subject = pricingSimulationSubjects.simulate;
  return orderFields(operator, { subject, body, reply: simulateReply, timeoutMs });
};

/** Every affected user, those in the view first. */
const usersOf = async (
  operator: Operator,
  { simulationId, users: first, affectedUsers }: SimulationView,
): Promise<SimulationView['users']> => {
  const users = [...first];
  while (users.length < affectedUsers) {
    const body = { simulationId, after: users.length };
    const subject = pricingSimulationSubjects.simulationUsers;
    const page = await orderFields(operator, { subject, body, reply: simulationUsersReply });
    if (page.users.length === 0) break;
    users.push(...page.users);
  }
  return users;
};

export const writeCsv = async (
  operator: Operator,
  view: SimulationView,
  file: string,
): Promise<void> => {
  const rows = simulationRows(view, await usersOf(operator, view));
  await writeFile(file, stringify(rows)).catch((error: unknown) => {
    throw new CommandError('unwritable-output', `cannot write ${file}: ${messageOf(error)}`);
  });
};

const marginOf = ({ margin }: SimulatedFigures): string => margin ?? '-';

const lineOf = (
  name: string,
  { usages, before, after }: { usages: number; before: SimulatedFigures; after: SimulatedFigures },
): string[] => [
  name,
  String(usages),
  before.revenueUsd,
  after.revenueUsd,
  before.costUsd,
  after.costUsd,
  marginOf(before),
  marginOf(after),
];

export const simulationLines = (view: SimulationView): string[] => {
  const { usages, totals, byTier, byModel, net } = view;
  return [
    ...table(
      ['of', 'usages', 'revenue', 'then', 'cost', 'then', 'margin', 'then'],
      [
        ...byTier.map((line) => lineOf(line.tier, line)),
        ...byModel.map((line) => lineOf(`${line.provider}/${line.model}`, line)),
        lineOf('all', { usages, ...totals }),
      ],
    ),
    ...columns({
      changed: `${String(view.changed)} of ${String(usages)} calls, ${String(view.affectedUsers)} users`,
      net: `revenue ${net.revenueUsd} USD, cost ${net.costUsd} USD, margin ${net.marginUsd} USD`,
    }),
    ...view.unpriced.map(
      ({ provider, model, meter, usages: count }) =>
        `  not priced: ${String(count)} calls of ${provider}/${model} (${meter})`,
    ),
  ];
};

export interface RerateOptions {
  readonly post?: boolean;
  readonly reason: string;
}

export const rerateCalls = (
  operator: Operator,
  priceVersion: string,
  { post = false, reason, ...range }: RerateOptions & RangeOptions,
): Promise<RerateView> => {
  const body = checkedBody(rerateRange, { priceVersion, ...rangeOf(range), post, reason });
  const subject = pricingSimulationSubjects.rerate;
  return orderFields(operator, { subject, body, reply: rerateRangeReply, timeoutMs });
};

export const rerateLines = (view: RerateView): string[] => [
  ...table(
    ['account', 'reservation', 'cost', 'then', 'charge', 'then'],
    view.list.map((each) => [
      each.accountId,
      each.reservationId,
      each.beforeCostUsd,
      each.afterCostUsd,
      each.beforeCredits,
      each.afterCredits,
    ]),
  ),
  ...columns({
    differences: `${String(view.differences)} of ${String(view.usages)} calls`,
    sum: `cost ${view.deltaCostUsd} USD, charges ${view.deltaCredits} credits`,
    posted: String(view.posted),
    failed: String(view.failed.length),
  }),
];
