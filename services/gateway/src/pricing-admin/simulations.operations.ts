import { rerateRange, rerateView, simulate, simulationView } from '@tollkeeper/contracts';
import { operation } from '../http/operation.js';
import { always, none } from './parameters.js';

const tag = 'simulations';

export const simulateOperation = operation({
  id: 'simulate',
  method: 'POST',
  path: '/api/admin/pricing/simulate',
  tag,
  summary:
    'Recorded calls under other multipliers and vendor prices; as a table with `Accept: text/csv`.',
  key: 'admin',
  fields: simulate,
  params: none,
  status: 200,
  reply: simulationView,
  asTable: true,
  refusals: [...always, 'unknown-simulation', 'implausible-rate', 'exchange-rate-missing'],
});

export const rerateOperation = operation({
  id: 'rerate',
  method: 'POST',
  path: '/api/admin/pricing/rerate',
  tag,
  summary: 'What calls of a range would be charged at a price version; with `post`, charge it.',
  key: 'admin',
  fields: rerateRange,
  params: none,
  status: 200,
  reply: rerateView,
  refusals: [...always, 'not-permitted', 'unknown-price'],
});
