import { explainQuery, explainView } from '@tollkeeper/contracts';
import { operation } from '../http/operation.js';
import { none } from './parameters.js';

export const explainOperation = operation({
  id: 'explainCharge',
  method: 'GET',
  path: '/api/admin/pricing/explain/{accountId}/{reservationId}',
  tag: 'charges',
  summary: 'A charge, line by line: rates, versions, rules, and who approved them.',
  key: 'admin',
  fields: none,
  params: explainQuery,
  status: 200,
  reply: explainView,
  refusals: ['not-authorized', 'invalid-request', 'unknown-reservation', 'busy', 'no-reply'],
});
