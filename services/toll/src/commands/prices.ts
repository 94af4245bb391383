import { createReadStream } from 'node:fs';
import { messageOf } from '@tollkeeper/kernel';

import { CommandError } from '../command-error.js';
import { answerLines } from '../prices/cost-stream.js';
import { bookSource, tableSource, type PriceSource } from '../prices/price-source.js';
import { defaultTerms, withPresets, type Terms } from '../prices/terms.js';
import { platformBook } from '../prices/platform-book.js';
import { asOperator } from './running.js';

export interface CostOptions {
  readonly prices?: string;
  readonly preset?: readonly string[];
}

interface Book {
  readonly source: PriceSource;
  readonly terms: Terms;
}

/** The pinned table with the default terms, or what the running installation holds now. */
const bookOf = async ({ prices }: CostOptions): Promise<Book> => {
  if (prices === 'genai-prices') return { source: tableSource(), terms: defaultTerms() };
  if (prices !== undefined) {
    throw new CommandError('invalid-option', `--prices is genai-prices, not ${prices}`);
  }
  const book = await asOperator(platformBook);
  return { source: bookSource(book), terms: { multipliers: book, credits: book } };
};

const inputOf = (file: string | undefined): AsyncIterable<Buffer> =>
  file === undefined || file === '-'
    ? process.stdin
    : createReadStream(file, { highWaterMark: 1 << 18 });

const isIoError = (error: unknown): error is NodeJS.ErrnoException =>
  error instanceof Error && 'code' in error && 'syscall' in error;

/**
 * `toll prices cost`: JSON lines of usage in, JSON lines of cost and charge out. Refusals are answers: the exit
 * code is 0 as long as the input can be read.
 */
export const costOfLines = async (
  file: string | undefined,
  options: CostOptions,
): Promise<void> => {
  const { source, terms } = await bookOf(options);
  const chosen = { source, terms: withPresets(terms, options.preset ?? []) };
  // A reader that has seen enough (`| head`) is no failure.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    process.exit(error.code === 'EPIPE' ? 0 : 1);
  });
  try {
    await answerLines(inputOf(file), process.stdout, chosen);
  } catch (error) {
    if (!isIoError(error)) throw error;
    throw new CommandError('unreadable-input', `cannot read the input: ${messageOf(error)}`);
  }
  await new Promise((resolve) => process.stdout.write('', resolve));
};
