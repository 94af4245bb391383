import { describe, expect, it } from 'vitest';

import { isAtLeast, parseVersion } from './nats-binary.js';
import { checked } from './release-download.js';

describe('the version of nats-server', () => {
  it.each([
    ['nats-server: v2.12.15', 2, 12],
    ['nats-server: v2.9.10', 2, 9],
    ['nats-server: v2.11.0-RC.1', 2, 11],
  ])('is read from "%s"', (output, major, minor) => {
    expect(parseVersion(output)).toMatchObject({ major, minor });
  });

  it('is unknown when the program says something else', () => {
    expect(parseVersion('command not found')).toBeUndefined();
  });

  it.each([
    [{ major: 2, minor: 9 }, false],
    [{ major: 2, minor: 10 }, true],
    [{ major: 3, minor: 0 }, true],
    [{ major: 1, minor: 99 }, false],
  ])('is compared by number, not by text: %o', (version, expected) => {
    expect(isAtLeast(version, { major: 2, minor: 10 })).toBe(expected);
  });
});

describe('a downloaded release', () => {
  const empty = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855';

  it('passes when its SHA-256 is the pinned one', () => {
    expect(checked(Buffer.alloc(0), empty)).toHaveLength(0);
  });

  it('is refused when a single byte differs', () => {
    expect(() => checked(Buffer.from([0]), empty)).toThrow('checksum mismatch');
  });
});
