/** Ids become the last token of a NATS subject and part of a stream name, hence the alphabet. */
export const idPattern = /^[A-Za-z0-9_-]{1,64}$/;

export const uuidPattern = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

const hex = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));
const pool = new Uint8Array(16 * 256);
let used = pool.length;

const randomByte = (index: number): number => pool[used + index] ?? 0;

/**
 * A UUIDv7 (RFC 9562): 48 bits of milliseconds, then random bits, so ids sort by age.
 * Entropy is drawn 256 ids at a time because one system call an id dominated the cost.
 */
export const uuidv7 = (atMs: number = Date.now()): string => {
  if (used >= pool.length) {
    crypto.getRandomValues(pool);
    used = 0;
  }
  const time = Math.floor(atMs).toString(16).padStart(12, '0');
  const version = 0x70 | (randomByte(0) & 0x0f);
  const variant = 0x80 | (randomByte(2) & 0x3f);
  const h = (byte: number): string => hex[byte] ?? '00';
  const tail =
    h(randomByte(4)) +
    h(randomByte(5)) +
    h(randomByte(6)) +
    h(randomByte(7)) +
    h(randomByte(8)) +
    h(randomByte(9));
  const id = `${time.slice(0, 8)}-${time.slice(8)}-${h(version)}${h(randomByte(1))}-${h(variant)}${h(randomByte(3))}-${tail}`;
  used += 16;
  return id;
};

/** Milliseconds since the epoch that a UUIDv7 carries; undefined for any other id. */
export const uuidv7TimeMs = (id: string): number | undefined =>
  uuidPattern.test(id) && id[14] === '7'
    ? Number.parseInt(id.slice(0, 8) + id.slice(9, 13), 16)
    : undefined;
