export * from './canonical-json.js';
export * from './errors.js';
export * from './exact-json.js';
export * from './ids.js';
export * from './local-date.js';
export * from './local-month.js';
export * from './money.js';
