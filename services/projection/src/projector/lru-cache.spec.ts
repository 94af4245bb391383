import { expect, it } from 'vitest';
import { LruCache } from './lru-cache.js';

it('forgets what was used least recently, and nothing else', () => {
  const cache = new LruCache<number>(2);
  cache.set('a', 1);
  cache.set('b', 2);
  expect(cache.get('a')).toBe(1);
  cache.set('c', 3);
  expect(cache.get('b')).toBeUndefined();
  expect(cache.get('a')).toBe(1);
  cache.delete('a');
  expect(cache.get('a')).toBeUndefined();
  expect(cache.get('c')).toBe(3);
});
