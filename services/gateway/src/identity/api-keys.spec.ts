import { describe, expect, it, vi } from 'vitest';
import { bearerKeyOf, hashOf, newApiKey } from './api-key.js';
import type { KnownKey } from './api-key.store.js';
import { ApiKeys, type ApiKeysOptions } from './api-keys.js';

const caller: KnownKey = { keyId: 'k1', accountId: 'acc1', userId: 'u1', projectId: undefined };

const keysWith = (options: Partial<ApiKeysOptions> = {}) => {
  const stored = new Map<string, KnownKey>();
  const store = {
    find: vi.fn((keyHash: string) => Promise.resolve(stored.get(keyHash))),
  };
  const issue = (known: KnownKey): string => {
    const apiKey = newApiKey();
    stored.set(hashOf(apiKey), known);
    return apiKey;
  };
  return { keys: new ApiKeys(store, { ttlMs: 10_000, ...options }), store, stored, issue };
};

describe('an API key', () => {
  it('is 32 random bytes', () => {
    expect(newApiKey()).toMatch(/^tk_[\w-]{43}$/);
    expect(newApiKey()).not.toBe(newApiKey());
  });

  it('speaks for the account that it was issued to', async () => {
    const { issue, keys } = keysWith();
    const apiKey = issue(caller);
    await expect(keys.identify(`Bearer ${apiKey}`)).resolves.toMatchObject({ accountId: 'acc1' });
  });

  it.each([
    undefined,
    '',
    'Bearer',
    'Bearer ',
    'Basic dGs6',
    `Bearer tk_${'a'.repeat(42)}`,
    `Bearer tk_${'a'.repeat(44)}`,
    `Bearer tk_${'a'.repeat(42)}'`,
    `Bearer tk_${'a'.repeat(43)}\u0000`,
    `Bearer ${'x'.repeat(100_000)}`,
    "Bearer tk_' OR 1=1 --",
  ])('is refused without asking the database where it cannot be one: %s', async (authorization) => {
    const { keys, store } = keysWith();
    await expect(keys.identify(authorization)).rejects.toMatchObject({ fields: { status: 401 } });
    expect(store.find).not.toHaveBeenCalled();
  });

  it('that differs in one character is another key', async () => {
    const { issue, keys } = keysWith();
    const apiKey = issue(caller);
    const other = apiKey.slice(0, -1) + (apiKey.endsWith('A') ? 'B' : 'A');
    await expect(keys.identify(`Bearer ${other}`)).rejects.toMatchObject({
      fields: { status: 401 },
    });
  });

  it('may be written with any case of the scheme, and not of the key', () => {
    const key = newApiKey();
    expect(bearerKeyOf(`bearer ${key}`)).toBe(key);
    expect(bearerKeyOf(`BEARER ${key.toUpperCase()}`)).toBeUndefined();
  });
});

describe('the cache of API keys', () => {
  it('asks once for many requests at the same time', async () => {
    const { issue, keys, store } = keysWith();
    const apiKey = issue(caller);
    await Promise.all(Array.from({ length: 50 }, () => keys.identify(`Bearer ${apiKey}`)));
    expect(store.find).toHaveBeenCalledTimes(1);
  });

  it('answers from an old entry while it reads it again, and refuses once it knows of a revocation', async () => {
    const { issue, keys, store, stored } = keysWith();
    const apiKey = issue(caller);
    vi.useFakeTimers({ toFake: ['Date'] });
    try {
      await keys.identify(`Bearer ${apiKey}`);
      stored.clear();
      vi.setSystemTime(Date.now() + 11_000);
      await expect(keys.identify(`Bearer ${apiKey}`)).resolves.toBeDefined();
      await vi.waitFor(() => expect(store.find).toHaveBeenCalledTimes(2));
      await expect(keys.identify(`Bearer ${apiKey}`)).rejects.toMatchObject({
        fields: { status: 401 },
      });
    } finally {
      vi.useRealTimers();
    }
  });

  it('does not trust an entry that nobody used for a minute', async () => {
    const { issue, keys, stored } = keysWith();
    const apiKey = issue(caller);
    vi.useFakeTimers({ toFake: ['Date'] });
    try {
      await keys.identify(`Bearer ${apiKey}`);
      stored.clear();
      vi.setSystemTime(Date.now() + 61_000);
      await expect(keys.identify(`Bearer ${apiKey}`)).rejects.toMatchObject({
        fields: { status: 401 },
      });
    } finally {
      vi.useRealTimers();
    }
  });

  it('forgets the keys of one account, and asks for them again', async () => {
    const { issue, keys, store, stored } = keysWith();
    const revoked = issue(caller);
    const other = issue({ ...caller, accountId: 'acc2' });
    await keys.identify(`Bearer ${revoked}`);
    await keys.identify(`Bearer ${other}`);
    stored.delete(hashOf(revoked));
    keys.forget('acc1');
    await expect(keys.identify(`Bearer ${revoked}`)).rejects.toMatchObject({
      fields: { status: 401 },
    });
    await keys.identify(`Bearer ${other}`);
    expect(store.find).toHaveBeenCalledTimes(3);
  });

  it('does not remember what the database said before a key was forgotten', async () => {
    const { issue, keys, store, stored } = keysWith();
    const apiKey = issue(caller);
    let answer: (late: KnownKey) => void = () => undefined;
    store.find.mockReturnValueOnce(new Promise((resolve) => (answer = resolve)));
    const call = keys.identify(`Bearer ${apiKey}`);
    stored.clear();
    keys.forget('acc1');
    answer(caller);
    await expect(call).rejects.toMatchObject({ fields: { status: 401 } });
  });

  it('refuses a key whose project is archived with 403', async () => {
    const { issue, keys } = keysWith();
    const apiKey = issue({ ...caller, projectId: 'p1', projectArchived: true });
    await expect(keys.identify(`Bearer ${apiKey}`)).rejects.toMatchObject({
      fields: { status: 403, code: 'project_archived' },
    });
  });

  it('keeps the known keys through a flood of unknown ones', async () => {
    const { issue, keys, store } = keysWith({ entriesMax: 10 });
    const apiKey = issue(caller);
    await keys.identify(`Bearer ${apiKey}`);
    for (let each = 0; each < 100; each++) {
      await keys.identify(`Bearer ${newApiKey()}`).catch(() => undefined);
    }
    store.find.mockClear();
    await keys.identify(`Bearer ${apiKey}`);
    expect(store.find).not.toHaveBeenCalled();
  });

  it('answers 503, not 401, where the database cannot be asked', async () => {
    const { keys, store } = keysWith();
    store.find.mockRejectedValue(new Error('down'));
    await expect(keys.identify(`Bearer ${newApiKey()}`)).rejects.toMatchObject({
      fields: { status: 503 },
    });
  });
});
