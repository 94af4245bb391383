/** What LiteLLM's cost fields mean: a meter in a unit, and the conditions that their suffixes stack. */

export interface MeteredIn {
  readonly meter: string;
  readonly unit: string;
  /** How many units a rate is given for here; the table's is for one. */
  readonly per: string;
}

export interface FieldMeaning extends MeteredIn {
  readonly serviceTier?: string;
  readonly inputTokensOver?: number;
}

const tokens = (meter: string): MeteredIn => ({ meter, unit: 'token', per: '1000000' });
const millions = (meter: string, unit: string): MeteredIn => ({ meter, unit, per: '1000000' });
const each = (meter: string, unit: string): MeteredIn => ({ meter, unit, per: '1' });

const fields: Readonly<Record<string, MeteredIn>> = {
  input_cost_per_token: tokens('input'),
  output_cost_per_token: tokens('output'),
  output_cost_per_reasoning_token: tokens('reasoning'),
  citation_cost_per_token: tokens('citation'),
  cache_read_input_token_cost: tokens('cache_read'),
  input_cost_per_token_cache_hit: tokens('cache_read'),
  cache_creation_input_token_cost: tokens('cache_write'),
  cache_read_input_audio_token_cost: tokens('cache_read_audio'),
  cache_creation_input_audio_token_cost: tokens('cache_write_audio'),
  input_cost_per_audio_token: tokens('input_audio'),
  output_cost_per_audio_token: tokens('output_audio'),
  input_cost_per_image_token: tokens('input_image'),
  output_cost_per_image_token: tokens('output_image'),
  output_cost_per_video_token: tokens('output_video'),
  input_cost_per_character: millions('input_character', 'character'),
  output_cost_per_character: millions('output_character', 'character'),
  input_cost_per_pixel: millions('input_pixel', 'pixel'),
  output_cost_per_pixel: millions('output_pixel', 'pixel'),
  input_cost_per_image: each('input_image_item', 'image'),
  output_cost_per_image: each('output_image_item', 'image'),
  input_cost_per_second: each('input_second', 'second'),
  output_cost_per_second: each('output_second', 'second'),
  input_cost_per_audio_per_second: each('input_audio_second', 'second'),
  input_cost_per_video_per_second: each('input_video_second', 'second'),
  output_cost_per_video_per_second: each('output_video_second', 'second'),
  input_cost_per_query: each('query', 'query'),
  input_cost_per_request: each('request', 'request'),
  ocr_cost_per_page: each('page', 'page'),
  annotation_cost_per_page: each('annotated_page', 'page'),
  ocr_cost_per_credit: each('ocr_credit', 'credit'),
  code_interpreter_cost_per_session: each('code_interpreter_session', 'session'),
};

/** A second of what, where the field leaves it to the model's mode. */
const secondsByMode: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  audio_transcription: { input_second: 'audio_second', output_second: 'output_audio_second' },
  audio_speech: { input_second: 'input_audio_second', output_second: 'output_audio_second' },
  realtime: { input_second: 'input_audio_second', output_second: 'output_audio_second' },
  video_generation: { input_second: 'input_video_second', output_second: 'output_video_second' },
};

const tiersBySuffix: Readonly<Record<string, string>> = {
  batches: 'batch',
  flex: 'flex',
  priority: 'priority',
};

interface Suffixes {
  serviceTier?: string;
  inputTokensOver?: number;
  /** The cache keeps what is written for an hour. */
  hour?: true;
  /** `over_8s`, `1080p`: a meter of its own. */
  ownMeter?: string;
}

const suffix =
  /_(?:(batches|flex|priority)|above_(\d{1,6})k_tokens|above_(1)hr|above_(\d{1,4})s_interval|(\d{3,4}p))$/;

/** The field without its suffixes; undefined where one of them stands twice. */
const withoutSuffixes = (name: string, found: Suffixes): string | undefined => {
  const [whole, tier, thousands, hour, seconds, resolution] = suffix.exec(name) ?? [];
  if (whole === undefined) return name;
  if (tier !== undefined) {
    if (found.serviceTier !== undefined) return undefined;
    found.serviceTier = tiersBySuffix[tier] ?? tier;
  } else if (thousands !== undefined) {
    if (found.inputTokensOver !== undefined) return undefined;
    found.inputTokensOver = Number(thousands) * 1000;
  } else if (hour !== undefined) {
    if (found.hour) return undefined;
    found.hour = true;
  } else {
    if (found.ownMeter !== undefined) return undefined;
    found.ownMeter = seconds === undefined ? (resolution ?? '') : `over_${seconds}s`;
  }
  return withoutSuffixes(name.slice(0, -whole.length), found);
};

const meterOf = (
  { meter }: MeteredIn,
  mode: string | undefined,
  { hour, ownMeter }: Suffixes,
): string | undefined => {
  const byMode = secondsByMode[mode ?? '']?.[meter] ?? meter;
  if (hour)
    return byMode === 'cache_write' && ownMeter === undefined ? 'cache_write_1h' : undefined;
  if (ownMeter === undefined) return byMode;
  return byMode.endsWith('_second') ? `${byMode}_${ownMeter}` : undefined;
};

/** The meaning of a cost field for a model of a mode; undefined where it has none here. */
export const meaningOf = (name: string, mode: string | undefined): FieldMeaning | undefined => {
  const found: Suffixes = {};
  const base = withoutSuffixes(name, found);
  const metered = base !== undefined && Object.hasOwn(fields, base) ? fields[base] : undefined;
  const meter = metered && meterOf(metered, mode, found);
  if (!meter) return undefined;
  const { serviceTier, inputTokensOver } = found;
  return {
    ...metered,
    meter,
    ...(serviceTier === undefined ? {} : { serviceTier }),
    ...(inputTokensOver === undefined ? {} : { inputTokensOver }),
  };
};

/** Any field that may say what something costs: one of them without a meaning makes its model inexpressible. */
export const saysCost = (name: string): boolean =>
  /cost|price|pricing|multiplier|billing_unit|dbu/.test(name);
