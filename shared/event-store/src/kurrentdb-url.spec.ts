import { describe, expect, it } from 'vitest';
import { forClient, readKurrentdbUrl } from './kurrentdb-url.js';

describe('a connection string of KurrentDB', () => {
  it('is taken apart as the client does it, whatever the password holds', () => {
    const url = readKurrentdbUrl(
      'esdb+discover://admin:p%40ss/w?o=rd&x@a:2114,b/?TLS=false&tls_ca_file=%2Fca.pem',
    );
    expect(url).toMatchObject({ login: 'admin:p@ss/w?o=rd&x', hosts: ['a:2114', 'b:2113'] });
    expect([...url.settings]).toEqual([
      ['tls', 'false'],
      ['tlscafile', '%2Fca.pem'],
    ]);
    expect(readKurrentdbUrl('kurrentdb://127.0.0.1').login).toBeUndefined();
  });

  it('gets the name of the connection, unless it has one, and loses what the client does not know', () => {
    const shown = (url: string) => forClient(readKurrentdbUrl(url), 'credit 1');
    expect(shown('kurrentdb://u:p@a:2113?tls=false&foo=1&mergeAppends=true')).toEqual({
      url: 'kurrentdb://u:p@a:2113?connectionname=credit%201&tls=false',
      unknown: ['foo', 'mergeappends'],
    });
    expect(shown('kurrentdb://a:2113?connectionName=mine').url).toBe(
      'kurrentdb://a:2113?connectionname=mine',
    );
  });

  it.each(['kurrentdb:/admin:s3cret@a', 'admin:s3cret@a', 'kurrentdb://admin:s3cret%@a'])(
    'that cannot be read is not shown: %s',
    (url) => {
      const read = (): unknown => readKurrentdbUrl(url);
      expect(read).toThrow(/connection string of KurrentDB/);
      expect(read).not.toThrow(/s3cret/);
    },
  );
});
