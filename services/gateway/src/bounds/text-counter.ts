import { hash } from 'node:crypto';
import * as o200k from 'gpt-tokenizer/encoding/o200k_base';

export type Encoding = 'o200k' | 'cl100k';

/** Tokens of a text: never more than `most`, probably `likely`. */
export interface TextTokens {
  readonly most: number;
  readonly likely: number;
}

type Count = (text: string) => number;

/** Text that looks like a control token is text here, as it is at the vendor. */
const asText = { disallowedSpecial: new Set<string>() };

const exactCharactersMax = 16_384;
const cachedFromCharacters = 512;
const cacheEntriesMax = 20_000;

const runMax = 256;

/** 1 letters, 2 white space, 3 marks, 0 digits, which the tokenizers split by threes. */
const asciiKinds = Uint8Array.from({ length: 128 }, (_, code) => {
  const character = String.fromCharCode(code);
  if (/[0-9]/.test(character)) return 0;
  if (/[A-Za-z]/.test(character)) return 1;
  return /\s/.test(character) ? 2 : 3;
});

const kindOf = (code: number): number => {
  if (code < 128) return asciiKinds[code] ?? 3;
  // General and CJK punctuation; whatever else is beyond ASCII counts as a letter.
  const isMark = (code >= 0x2000 && code <= 0x206f) || (code >= 0x3000 && code <= 0x303f);
  return isMark || (code >= 0xff00 && code <= 0xff1f) ? 3 : 1;
};

/**
 * Merging is quadratic in the length of a run that the tokenizer does not split (letters, punctuation or
 * white space), so a text with a long one is not counted but bounded by its bytes.
 */
export const hasLongRun = (text: string): boolean => {
  let kind = 0;
  let length = 0;
  for (let index = 0; index < text.length; index++) {
    const next = kindOf(text.charCodeAt(index));
    if (next !== kind) {
      kind = next;
      length = 1;
    } else if (kind !== 0 && ++length > runMax) return true;
  }
  return false;
};

/** A token is at least one byte, in every byte-level or byte-fallback tokenizer. */
export const boundByBytes = (text: string): TextTokens => {
  const bytes = Buffer.byteLength(text);
  return { most: bytes, likely: Math.ceil(bytes / 4) };
};

/**
 * Counts tokens exactly where that is cheap: about 0.1 µs a character, so texts up to 16 k characters.
 * Counts of longer texts are remembered by the text's SHA-256, because agents send the same beginning of a
 * conversation again and again; the text itself is not kept.
 */
export class TextCounter {
  private readonly cache = new Map<string, number>();
  private cl100k: Count | undefined;
  private loading = false;

  count(encoding: Encoding, text: string): TextTokens {
    if (text.length > exactCharactersMax) return boundByBytes(text);
    const counter = encoding === 'o200k' ? countO200k : this.cl100kOrLoad();
    if (!counter || (text.length > runMax && hasLongRun(text))) return boundByBytes(text);
    const tokens =
      text.length < cachedFromCharacters ? counter(text) : this.cached(encoding, text, counter);
    return { most: tokens, likely: tokens };
  }

  private cached(encoding: Encoding, text: string, counter: Count): number {
    const key = `${encoding}${hash('sha256', text, 'base64')}`;
    const known = this.cache.get(key);
    if (known !== undefined) return known;
    const tokens = counter(text);
    if (this.cache.size >= cacheEntriesMax) this.cache.clear();
    this.cache.set(key, tokens);
    return tokens;
  }

  /** Few models still use it, and it takes 150 ms and 10 MB: until it is there, bytes are the bound. */
  private cl100kOrLoad(): Count | undefined {
    if (!this.cl100k && !this.loading) {
      this.loading = true;
      import('gpt-tokenizer/encoding/cl100k_base').then(
        (module) => {
          this.cl100k = (text) => module.countTokens(text, asText);
        },
        () => {
          this.loading = false;
        },
      );
    }
    return this.cl100k;
  }
}

const countO200k: Count = (text) => o200k.countTokens(text, asText);
