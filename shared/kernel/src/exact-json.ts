import { Money } from './money.js';

const isNumberStart = (code: number): boolean => code === 45 || (code >= 48 && code <= 57);
const isNumberPart = (code: number): boolean =>
  isNumberStart(code) || code === 43 || code === 46 || code === 69 || code === 101;

/** The closing quote of the text that opens before `from`. */
const endOfText = (json: string, from: number): number => {
  let at = from;
  while (at < json.length && json.charCodeAt(at) !== 34) at += json.charCodeAt(at) === 92 ? 2 : 1;
  return at;
};

/**
 * Reads JSON with every number as its own text: `{"a":1.10}` → `{ a: '1.10' }`. A decimal amount goes through no
 * double this way. @throws SyntaxError where the text is not JSON
 */
export const parseExact = (json: string): unknown => {
  JSON.parse(json);
  let quoted = '';
  let copied = 0;
  for (let at = 0; at < json.length; at += 1) {
    const code = json.charCodeAt(at);
    if (code === 34) {
      at = endOfText(json, at + 1);
    } else if (isNumberStart(code)) {
      let end = at + 1;
      while (isNumberPart(json.charCodeAt(end))) end += 1;
      quoted += `${json.slice(copied, at)}"${json.slice(at, end)}"`;
      copied = end;
      at = end - 1;
    }
  }
  return JSON.parse(quoted + json.slice(copied));
};

const numberPattern = /^-?\d{1,60}(?:\.\d{1,60})?(?:[eE][+-]?\d{1,3})?$/;

/** A number as JSON spells it, exponent and all; undefined where it is none, or has more digits than an amount may. */
export const readAmount = (text: string): Money | undefined => {
  if (text.length > 80 || !numberPattern.test(text)) return undefined;
  const amount = new Money(text);
  return amount.decimalPlaces() <= 30 && amount.e < 30 ? amount : undefined;
};
