import { once } from 'node:events';
import type { Writable } from 'node:stream';
import { messageOf } from '@tollkeeper/kernel';

import { answerCost, type CostAnswer } from './cost-answer.js';
import { readCostLine, type Id } from './cost-question.js';
import { linesOf, type Line } from './lines.js';
import type { PriceSource } from './price-source.js';
import { isRefusedLine, refuse, type LineRefusal, type RefusedLine } from './refusal.js';
import type { Terms } from './terms.js';

/** A refusal names the line of the input that it answers. */
interface RefusedAnswer {
  readonly id?: Id;
  readonly line: number;
  readonly refused: LineRefusal;
}

const refusedAnswer = (
  { number }: Line,
  { refused }: RefusedLine,
  id: Id | undefined,
): RefusedAnswer => ({ ...(id === undefined ? {} : { id }), line: number, refused });

/** Every line has an answer of its own: what is wrong with one never touches the others. */
export const answerLine = (
  line: Line,
  source: PriceSource,
  terms: Terms,
): CostAnswer | RefusedAnswer => {
  if (line.text === undefined) {
    return refusedAnswer(line, refuse('invalid-line', 'longer than 16 MiB'), undefined);
  }
  let id: Id | undefined;
  try {
    const question = readCostLine(line.text);
    id = question.id;
    if (isRefusedLine(question)) return refusedAnswer(line, question, id);
    const answer = answerCost(question, source, terms);
    return isRefusedLine(answer) ? refusedAnswer(line, answer, id) : answer;
  } catch (error) {
    return refusedAnswer(line, refuse('failed', messageOf(error)), id);
  }
};

const isBlank = ({ text }: Line): boolean => text?.trim() === '';

/** JSON lines in, JSON lines out, in order and in constant memory; blank lines have no answer. */
export const answerLines = async (
  input: AsyncIterable<Buffer>,
  output: Writable,
  { source, terms }: { readonly source: PriceSource; readonly terms: Terms },
): Promise<void> => {
  for await (const lines of linesOf(input)) {
    let text = '';
    for (const line of lines) {
      if (!isBlank(line)) text += `${JSON.stringify(answerLine(line, source, terms))}\n`;
    }
    if (text !== '' && !output.write(text)) await once(output, 'drain');
  }
};
