import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import type { ConnectOptions } from './connect-options.js';
import { natsOptionsOf } from './nats-link.js';

const optionsOf = (options: ConnectOptions) => natsOptionsOf(options, { name: 'spec' });

describe('what NATS is told', () => {
  it.each<[string, ConnectOptions, object]>([
    [
      'the name, password and inbox of a URL',
      { servers: 'nats://platform:p%40ss@nats.example:4223' },
      {
        servers: ['nats.example:4223'],
        user: 'platform',
        pass: 'p@ss',
        inboxPrefix: '_INBOX_platform',
      },
    ],
    [
      'what stands beside the URL rather than what is in it',
      { servers: 'nats://operator:one@nats.example', user: 'platform', pass: 'two' },
      { user: 'platform', pass: 'two', inboxPrefix: '_INBOX_platform' },
    ],
    [
      'several servers, by one login',
      { servers: ['nats://operator:one@a.example:1', 'b.example:2'] },
      { servers: ['a.example:1', 'b.example:2'], user: 'operator', inboxPrefix: '_INBOX' },
    ],
    [
      'several servers of one text',
      { servers: 'a.example:1, b.example:2' },
      { servers: ['a.example:1', 'b.example:2'] },
    ],
    ['a token', { servers: 'a.example', token: 't' }, { token: 't', inboxPrefix: '_INBOX' }],
    ['a token in the URL', { servers: 'nats://t@a.example' }, { token: 't' }],
    ['TLS by the scheme', { servers: 'tls://a.example' }, { tls: {} }],
    ['TLS by certificates', { servers: 'a.example', tls: { ca: 'PEM' } }, { tls: { ca: 'PEM' } }],
    [
      'an inbox of your own',
      { servers: 'nats://platform:p@a.example', inboxPrefix: '_INBOX.mine' },
      { inboxPrefix: '_INBOX.mine' },
    ],
  ])('is %s', (_, options, told) => {
    expect(optionsOf(options)).toMatchObject(told);
  });

  it('is a credentials file’s signature rather than a login', () => {
    const told = optionsOf({ servers: 'nats://platform:p@a.example', creds: 'text of the file' });
    expect(told.authenticator).toBeTypeOf('function');
    expect(told).not.toHaveProperty('user');
  });

  it('is no TLS and no login unless asked for', () => {
    const told = optionsOf({ servers: 'a.example' });
    for (const field of ['tls', 'user', 'pass', 'token']) expect(told).not.toHaveProperty(field);
  });

  it.each<[string, ConnectOptions['servers']]>([
    ['a host with a space', 'nats://platform:secret@a b'],
    ['no host', 'nats://'],
    ['nothing', ''],
    ['a password with a bare %', ['a.example', 'nats://platform:secret%zz@b.example']],
  ])('refuses what is no URL, and does not repeat it: it may hold a password: %s', (_, servers) => {
    const error: unknown = thrownBy(() => optionsOf({ servers }));
    expect(error).toEqual(new TypeError('servers: not a URL such as nats://127.0.0.1:4222'));
    expect(inspect(error)).not.toContain('secret');
  });

  it('refuses no server at all, for which NATS would take one of this machine', () => {
    expect(() => optionsOf({ servers: [] })).toThrow(new TypeError('servers: none is given'));
  });
});

const thrownBy = (act: () => unknown): unknown => {
  try {
    return act();
  } catch (error) {
    return error;
  }
};
