export { personalAccountId } from '@tollkeeper/events';
export * from './common.js';
export * from './completion.js';
export * from './credit.js';
export * from './identity.js';
export * from './inbox.js';
export * from './ledger.js';
export * from './pricing.js';
export * from './projection.js';
