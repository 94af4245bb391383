export * from './credit-account.js';
export * from './personal-account.js';
export * from './price-book.js';
export * from './stored-event.codec.js';
export * from './usage.js';
