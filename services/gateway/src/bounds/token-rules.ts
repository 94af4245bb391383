/** How a family of models counts what it is sent. */
export interface TokenRule {
  readonly encoding: 'o200k' | 'cl100k';
  /**
   * By how much the family's own tokenizer may exceed `encoding`; 1 where it *is* the encoding. Vendors do not
   * publish theirs, so these come from comparisons in public and carry a margin. The count never exceeds the
   * text's bytes, whatever the tokenizer: all of them fall back to bytes.
   */
  readonly factor: number;
  /** What the vendor puts around a call with tools, beyond the tools' own text. */
  readonly toolsTokens: number;
  /** The most tokens of one image, by the detail asked for; undefined where the vendor has no bound. */
  readonly image: { readonly low: number; readonly high: number } | undefined;
}

const openAi = { encoding: 'o200k', factor: 1, toolsTokens: 64 } as const;

/**
 * OpenAI's published rules. Tiles: an image is scaled into 2048 × 2048, then its short side to 768, so at most
 * 2 × 4 tiles of 512. Patches: at most 1,536 of them, times the model's multiplier.
 */
const tiles = (base: number, tile: number) => ({ low: base, high: base + 8 * tile });
const patches = (multiplier: number) => {
  const most = Math.ceil(1_536 * multiplier);
  return { low: most, high: most };
};

/** First match wins. */
const openAiModels: readonly (readonly [RegExp, Partial<TokenRule>])[] = [
  [/^gpt-4o-mini/, { image: tiles(2_833, 5_667) }],
  [/^gpt-4\.1-mini|^gpt-5(\.\d+)?-mini/, { image: patches(1.62) }],
  [/^gpt-4\.1-nano|^gpt-5(\.\d+)?-nano/, { image: patches(2.46) }],
  [/^o4-mini/, { image: patches(1.72) }],
  [/^(chatgpt-)?gpt-4o|^chatgpt-4o|^gpt-4\.1|^gpt-4\.5/, { image: tiles(85, 170) }],
  [/^gpt-5(-chat|-\d{4}|$)/, { image: tiles(70, 140) }],
  [/^o1|^o3/, { image: tiles(75, 150) }],
  [/^gpt-4-turbo|^gpt-4-.*vision/, { encoding: 'cl100k', image: tiles(85, 170) }],
  [/^gpt-4|^gpt-3\.5|^gpt-35/, { encoding: 'cl100k', image: undefined }],
];

/** Claude scales an image to at most 1,568 px; its newest models take about three times as many tokens. */
const claude: TokenRule = {
  encoding: 'o200k',
  factor: 1.7,
  toolsTokens: 1_024,
  image: { low: 4_800, high: 4_800 },
};
const unpublished: TokenRule = {
  encoding: 'o200k',
  factor: 1.5,
  toolsTokens: 512,
  image: undefined,
};

const others: Readonly<Record<string, TokenRule>> = {
  anthropic: claude,
  google: { ...unpublished, factor: 1.35 },
  deepseek: { ...unpublished, factor: 1.35 },
};

/** The rule of a model as the price book names it. */
export const tokenRuleOf = (provider: string, model: string): TokenRule => {
  if (provider !== 'openai' && provider !== 'azure') {
    return model.includes('claude') ? claude : (others[provider] ?? unpublished);
  }
  const known = openAiModels.find(([pattern]) => pattern.test(model));
  return { ...openAi, image: undefined, ...known?.[1] };
};
