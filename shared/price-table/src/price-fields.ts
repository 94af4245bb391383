import { readListedAmount } from './listed-amount.js';

/** A limit in tokens, where the table has a whole number for it. */
export const limitOf = <Name extends string>(
  name: Name,
  listed: unknown,
): Partial<Record<Name, number>> => {
  const amount = readListedAmount(listed)?.amount;
  if (!amount?.isInteger() || amount.lte(0) || amount.gt(Number.MAX_SAFE_INTEGER)) return {};
  return { [name]: amount.toNumber() } as Partial<Record<Name, number>>;
};

const notesMax = 1024;

/** As many notes as a price may have. */
export const notesOf = (notes: readonly string[]): { readonly notes?: string } => {
  if (notes.length === 0) return {};
  const text = notes.join('; ');
  return { notes: text.length <= notesMax ? text : `${text.slice(0, notesMax - 1)}…` };
};
