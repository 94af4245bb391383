import type { SimulatedFigures, SimulationView } from './pricing-simulation.js';

const figureNames = ['revenueUsd', 'costUsd', 'marginUsd', 'margin'] as const;

const header = [
  'section',
  'name',
  'usages',
  ...figureNames.map((name) => `before_${name}`),
  ...figureNames.map((name) => `after_${name}`),
  'beforeCredits',
  'afterCredits',
  'deltaCredits',
  'deltaUsd',
];

const cells = (figures: SimulatedFigures): string[] =>
  figureNames.map((name) => figures[name] ?? '');

/** A name that a spreadsheet would take for a formula is marked as text. Figures stay figures. */
const asText = (name: string): string => (/^[=+\-@\t\r]/.test(name) ? `'${name}` : name);

const change = (
  section: string,
  name: string,
  line: {
    readonly usages: number;
    readonly before: SimulatedFigures;
    readonly after: SimulatedFigures;
  },
): string[] => [
  section,
  asText(name),
  String(line.usages),
  ...cells(line.before),
  ...cells(line.after),
  '',
  '',
  '',
  '',
];

/** A simulation as rows of a table, the first of which names the columns. Figures are decimal text; `users` are all that are affected. */
export const simulationRows = (
  { usages, totals, byTier, byProvider, byModel }: SimulationView,
  users: SimulationView['users'],
): string[][] => [
  header,
  change('total', '', { usages, ...totals }),
  ...byTier.map((line) => change('tier', line.tier, line)),
  ...byProvider.map((line) => change('provider', line.provider, line)),
  ...byModel.map((line) => change('model', `${line.provider}/${line.model}`, line)),
  ...users.map((user) => [
    'user',
    asText(user.userId),
    String(user.usages),
    ...Array.from({ length: 2 * figureNames.length }, () => ''),
    user.beforeCredits,
    user.afterCredits,
    user.deltaCredits,
    user.deltaUsd,
  ]),
];
