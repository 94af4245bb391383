import { expect } from 'vitest';

/**
 * Test files run at once, and some change the price book for everybody: on a node of KurrentDB that is given, each has
 * streams of its own, as each has a database of its own elsewhere. The store's own tests choose for themselves.
 */
const url = process.env['KURRENTDB_URL'];
const isOfStore = expect.getState().testPath?.includes('/shared/event-store/') === true;
if (url && !isOfStore && !/streamPrefix/i.test(url)) {
  const prefix = `t${crypto.randomUUID().slice(0, 8)}_`;
  process.env['KURRENTDB_URL'] = `${url}${url.includes('?') ? '&' : '?'}streamPrefix=${prefix}`;
}
