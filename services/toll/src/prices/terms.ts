import {
  creditTermsEvent,
  defaultCreditTerms,
  defaultMultipliers,
  markup15,
  multiplierEvents,
  PriceBook,
  usdCredits,
  wholeCredits,
} from '@tollkeeper/pricing';

import { CommandError } from '../command-error.js';

/** What a charge is computed by: the cascade of multipliers, and what a credit is worth. */
export interface Terms {
  readonly multipliers: Pick<PriceBook, 'multiplierFor'>;
  readonly credits: Pick<PriceBook, 'policyAt'>;
}

export const presets = ['whole-credits', 'usd-credits', 'markup-15'] as const;
type Preset = (typeof presets)[number];

const creditPresets = { 'whole-credits': wholeCredits, 'usd-credits': usdCredits } as const;

const isPreset = (name: string): name is Preset => (presets as readonly string[]).includes(name);

/** The terms that a new price book begins with. */
export const defaultTerms = (): Terms => {
  const book = new PriceBook();
  book.apply(creditTermsEvent('credit-policy@1', defaultCreditTerms));
  for (const rule of defaultMultipliers) {
    for (const event of multiplierEvents(rule, 'default')) book.apply(event);
  }
  return { multipliers: book, credits: book };
};

const applied = (terms: Terms, preset: Preset): Terms => {
  const book = new PriceBook();
  if (preset === 'markup-15') {
    for (const rule of markup15) {
      for (const event of multiplierEvents(rule, 'preset', `${preset}@1`)) book.apply(event);
    }
    return { ...terms, multipliers: book };
  }
  book.apply(creditTermsEvent(`${preset}@1`, creditPresets[preset]));
  return { ...terms, credits: book };
};

/** The terms with presets in their place; of two presets for one thing the later stands. @throws CommandError */
export const withPresets = (terms: Terms, names: readonly string[]): Terms =>
  names.reduce((so, name) => {
    if (isPreset(name)) return applied(so, name);
    throw new CommandError('invalid-option', `--preset is one of ${presets.join(', ')}`);
  }, terms);
