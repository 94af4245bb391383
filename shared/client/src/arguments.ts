/** What a timer can wait for: 24 days. */
const waitMaxMs = 2 ** 31 - 1;

/** @throws TypeError */
export const milliseconds = (given: number, field: string): number => {
  if (typeof given === 'number' && given > 0 && given <= waitMaxMs) return given;
  throw new TypeError(
    `${field}: not a number of milliseconds from above 0 to ${String(waitMaxMs)}`,
  );
};

/** Stored with what it is sent with. A line break would begin another header. @throws TypeError */
export const headerText = (given: string, field: string): string => {
  if (typeof given === 'string' && given.length <= 128 && !/[\p{Cc}\p{Cs}]/u.test(given))
    return given;
  throw new TypeError(
    `${field}: not a text of at most 128 characters, none of them a control character`,
  );
};

/** @throws TypeError */
export const timeText = (given: Date, field: string): string => {
  if (given instanceof Date && !Number.isNaN(given.getTime())) return given.toISOString();
  throw new TypeError(`${field}: not a valid Date`);
};
