/** A calendar day `YYYY-MM-DD` in some time zone. */
export type LocalDate = string;

const formatters = new Map<string, Intl.DateTimeFormat>();
const quarterHourMs = 15 * 60_000;
const cache = new Map<string, LocalDate>();
const cacheMax = 10_000;

const formatterOf = (timeZone: string): Intl.DateTimeFormat => {
  const known = formatters.get(timeZone);
  if (known) return known;
  const made = new Intl.DateTimeFormat('en-CA', { timeZone, dateStyle: 'short' });
  formatters.set(timeZone, made);
  return made;
};

/** By name: an offset such as `+05:37`, which newer engines take too, need not be one of whole quarters of an hour. */
export const isTimeZone = (timeZone: string): boolean => {
  if (!/^[A-Za-z]/.test(timeZone)) return false;
  try {
    formatterOf(timeZone);
    return true;
  } catch {
    return false;
  }
};

/**
 * The day that a moment falls on in an IANA time zone.
 * Every zone's offset is a multiple of 15 minutes in modern time, so the answer is remembered per
 * quarter of an hour: formatting costs microseconds and this runs once a command.
 */
export const localDate = (at: Date, timeZone: string): LocalDate => {
  const slot = Math.floor(at.getTime() / quarterHourMs);
  const key = `${timeZone}/${String(slot)}`;
  const known = cache.get(key);
  if (known !== undefined) return known;
  if (cache.size >= cacheMax) cache.clear();
  const day = formatterOf(timeZone).format(new Date(slot * quarterHourMs));
  cache.set(key, day);
  return day;
};
