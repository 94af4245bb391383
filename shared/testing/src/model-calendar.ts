/** Time zones of the model's accounts: east and west, by halves of an hour, and such as change their clocks by an hour or half of one. */
export const modelZones = [
  'UTC',
  'Asia/Kolkata',
  'America/New_York',
  'America/St_Johns',
  'Australia/Lord_Howe',
  'Pacific/Kiritimati',
] as const;
export type ModelZone = (typeof modelZones)[number];

const quarterMs = 15 * 60_000;
const offsets = new Map<string, number>();

/** What the wall clock is ahead of UTC. Clocks change on quarters of an hour. */
const offsetMs = (atMs: number, zone: ModelZone): number => {
  const quarterAtMs = Math.floor(atMs / quarterMs) * quarterMs;
  const key = `${zone} ${String(quarterAtMs)}`;
  const known = offsets.get(key);
  if (known !== undefined) return known;
  const offset = wallMs(quarterAtMs, zone) - quarterAtMs;
  offsets.set(key, offset);
  return offset;
};

/** As if the wall clock showed UTC. */
const wallMs = (atMs: number, timeZone: ModelZone): number => {
  const shown = new Date(atMs).toLocaleString('sv-SE', { timeZone });
  return Date.parse(`${shown.replace(' ', 'T')}Z`);
};

/** `YYYY-MM-DD` where the account is. */
export const dayOf = (atMs: number, zone: ModelZone): string =>
  new Date(atMs + offsetMs(atMs, zone)).toISOString().slice(0, 10);

/** `YYYY-MM`. */
export const monthOf = (day: string): string => day.slice(0, 7);

/** The first moment of a month's day where the account is. */
export const startOf = (month: string, dayOfMonth: number, zone: ModelZone): number => {
  const wall = Date.UTC(Number(month.slice(0, 4)), Number(month.slice(5)) - 1, dayOfMonth);
  // The offset of about then; where the clock changes in between, of just then.
  const about = wall - offsetMs(wall, zone);
  return wall - offsetMs(about, zone);
};

export const monthAfter = (month: string, months = 1): string =>
  monthOf(
    new Date(
      Date.UTC(Number(month.slice(0, 4)), Number(month.slice(5)) - 1 + months, 1),
    ).toISOString(),
  );

/** The latest month of which that day has begun. */
export const monthBegun = (atMs: number, dayOfMonth: number, zone: ModelZone): string => {
  const month = monthOf(dayOf(atMs, zone));
  return startOf(month, dayOfMonth, zone) <= atMs ? month : monthAfter(month, -1);
};
