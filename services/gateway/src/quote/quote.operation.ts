import { quoteQuery, quoteView } from '@tollkeeper/contracts';
import { z } from 'zod';
import { operation } from '../http/operation.js';

const { tier: _ofTheAccount, ...shape } = quoteQuery.shape;

export const quoteOperation = operation({
  id: 'quote',
  method: 'POST',
  path: '/api/quote',
  tag: 'charges',
  summary: 'What a call would cost and be charged in the tier of the key’s account.',
  key: 'account',
  fields: z
    .object(shape)
    .refine(
      ({ usage, bounds }) => (usage === undefined) !== (bounds === undefined),
      'either usage or bounds',
    ),
  params: z.object({}),
  status: 200,
  reply: quoteView,
  refusals: [
    'not-authorized',
    'invalid-request',
    'unknown-account',
    'unknown-price',
    'below-cost',
    'no-terms',
    'store-unavailable',
    'no-reply',
  ],
});
