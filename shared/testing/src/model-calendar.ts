/** Time zones of the model's accounts: such as never change their clocks. */
export type ModelZone = 'UTC' | 'Asia/Kolkata';

const offsetsMs: Readonly<Record<ModelZone, number>> = { UTC: 0, 'Asia/Kolkata': 19_800_000 };

/** `YYYY-MM-DD` where the account is. */
export const dayOf = (atMs: number, zone: ModelZone): string =>
  new Date(atMs + offsetsMs[zone]).toISOString().slice(0, 10);

/** `YYYY-MM`. */
export const monthOf = (day: string): string => day.slice(0, 7);

/** The first moment of a month's day where the account is. */
export const startOf = (month: string, dayOfMonth: number, zone: ModelZone): number =>
  Date.UTC(Number(month.slice(0, 4)), Number(month.slice(5)) - 1, dayOfMonth) - offsetsMs[zone];

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
