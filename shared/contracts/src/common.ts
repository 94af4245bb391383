import { z } from 'zod';
import { decimalPattern, idPattern } from '@tollkeeper/kernel';

/** A canonical decimal string; see @tollkeeper/kernel. */
export const decimal = z.string().regex(decimalPattern, 'must be a decimal string such as "12.5"');
const isPositive = (text: string): boolean => !text.startsWith('-') && /[1-9]/.test(text);
export const positiveDecimal = decimal.refine(isPositive, 'must be greater than zero');

/**
 * Credits, or dollars paid for them, that a command books. So many fewer digits than an amount may have that no sum of them
 * outgrows what a stored event, a row or a reply can hold.
 */
export const bookable = decimal.refine(
  (text) => /^-?\d{1,18}(?:\.\d{1,12})?$/.test(text),
  'must have at most 18 digits and 12 decimals',
);
export const positiveBookable = bookable.refine(isPositive, 'must be greater than zero');
export const bookableOrZero = bookable.refine(
  (text) => !text.startsWith('-'),
  'must not be negative',
);

export const id = z.string().regex(idPattern, 'must be 1 to 64 of A-Z a-z 0-9 _ -');
/** Of the years 1 to 9999, in UTC too: a stored event holds no later one, and PostgreSQL no earlier one. */
export const time = z.iso.datetime({ offset: true }).refine((text) => {
  const year = new Date(text).getUTCFullYear();
  return year >= 1 && year <= 9999;
}, 'must be of the years 1 to 9999');

/** What a PostgreSQL text cannot hold: a stored event with it would stop every read model. */
const unstorable = /[\0\p{Cs}]/u;

/** Text that is stored: neither NUL nor half of a surrogate pair. */
export const text = z
  .string()
  .refine((value) => !unstorable.test(value), 'must hold neither NUL nor half a character');

/** Provider and model names as the price book spells them. */
export const modelRef = z.object({
  provider: text.min(1).max(64),
  model: text.min(1).max(160),
});
export type ModelRef = z.infer<typeof modelRef>;

/** The caller's flat map of ids, at most 1 kB. */
export const context = z
  .record(text.min(1).max(64), text.max(256))
  .refine((map) => JSON.stringify(map).length <= 1024, 'must not be larger than 1 kB');

/** Every refusal is a value: a reason to branch on, a sentence to read, figures to act on. */
export const refused = z.object({
  status: z.literal('refused'),
  reason: z.string(),
  message: z.string(),
  /** True where the same command may succeed later without a change by the caller. */
  retryable: z.boolean(),
  details: z.record(z.string(), z.unknown()).optional(),
});
export type Refused = z.infer<typeof refused>;

/** Headers of a NATS message. A body may carry `commandId` instead where headers are awkward. */
export const headers = {
  commandId: 'Toll-Command-Id',
  correlationId: 'Toll-Correlation-Id',
  causationId: 'Toll-Causation-Id',
  actor: 'Toll-Actor',
  /** An admin's key: whoever holds it is its actor, in its role. */
  adminKey: 'Toll-Admin-Key',
} as const;
