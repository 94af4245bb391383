import { describe, expect, it } from 'vitest';
import { meaningOf, saysCost } from './litellm-field.js';

const said = (field: string, mode?: string): string => {
  const meaning = meaningOf(field, mode);
  if (!meaning) return 'nothing';
  const { meter, unit, per, serviceTier, inputTokensOver } = meaning;
  const conditions = [
    serviceTier,
    inputTokensOver === undefined ? undefined : `>${String(inputTokensOver)}`,
  ].filter((part) => part !== undefined);
  return [meter, ...conditions, `per ${per} ${unit}`].join(' ');
};

const million = 'per 1000000 token';

describe('a cost field', () => {
  it.each([
    ['input_cost_per_token', `input ${million}`],
    ['output_cost_per_token', `output ${million}`],
    ['cache_read_input_token_cost', `cache_read ${million}`],
    ['cache_creation_input_token_cost', `cache_write ${million}`],
    ['output_cost_per_image', 'output_image_item per 1 image'],
    ['cache_creation_input_token_cost_above_1hr', `cache_write_1h ${million}`],
    ['input_cost_per_audio_token', `input_audio ${million}`],
    ['input_cost_per_image', 'input_image_item per 1 image'],
    ['input_cost_per_token_batches', `input batch ${million}`],
    ['output_cost_per_token_batches', `output batch ${million}`],
    ['input_cost_per_token_priority', `input priority ${million}`],
    ['output_cost_per_token_priority', `output priority ${million}`],
    ['cache_read_input_token_cost_priority', `cache_read priority ${million}`],
    ['output_cost_per_second', 'output_second per 1 second'],
    ['input_cost_per_second', 'input_second per 1 second'],
    ['output_cost_per_reasoning_token', `reasoning ${million}`],
    ['output_cost_per_audio_token', `output_audio ${million}`],
    ['input_cost_per_token_above_200k_tokens', `input >200000 ${million}`],
    ['output_cost_per_token_above_200k_tokens', `output >200000 ${million}`],
    ['cache_read_input_token_cost_above_200k_tokens', `cache_read >200000 ${million}`],
    ['input_cost_per_pixel', 'input_pixel per 1000000 pixel'],
    ['cache_read_input_token_cost_above_272k_tokens', `cache_read >272000 ${million}`],
    ['input_cost_per_token_above_272k_tokens', `input >272000 ${million}`],
    ['output_cost_per_token_above_272k_tokens', `output >272000 ${million}`],
    ['output_cost_per_pixel', 'output_pixel per 1000000 pixel'],
    ['cache_creation_input_token_cost_above_200k_tokens', `cache_write >200000 ${million}`],
    ['output_cost_per_image_token', `output_image ${million}`],
    ['input_cost_per_token_flex', `input flex ${million}`],
    ['output_cost_per_token_flex', `output flex ${million}`],
    ['input_cost_per_character', 'input_character per 1000000 character'],
    ['input_cost_per_query', 'query per 1 query'],
    ['input_cost_per_token_cache_hit', `cache_read ${million}`],
    ['cache_read_input_token_cost_flex', `cache_read flex ${million}`],
    ['input_cost_per_image_token', `input_image ${million}`],
    ['cache_creation_input_audio_token_cost', `cache_write_audio ${million}`],
    ['input_cost_per_video_per_second', 'input_video_second per 1 second'],
    [
      'cache_read_input_token_cost_above_272k_tokens_priority',
      `cache_read priority >272000 ${million}`,
    ],
    ['input_cost_per_token_above_128k_tokens', `input >128000 ${million}`],
    ['input_cost_per_token_above_272k_tokens_priority', `input priority >272000 ${million}`],
    ['output_cost_per_token_above_272k_tokens_priority', `output priority >272000 ${million}`],
    ['output_cost_per_token_above_128k_tokens', `output >128000 ${million}`],
    ['output_cost_per_video_per_second', 'output_video_second per 1 second'],
    ['input_cost_per_audio_per_second', 'input_audio_second per 1 second'],
    ['ocr_cost_per_page', 'page per 1 page'],
    [
      'cache_creation_input_token_cost_above_1hr_above_200k_tokens',
      `cache_write_1h >200000 ${million}`,
    ],
    ['input_cost_per_token_above_200k_tokens_priority', `input priority >200000 ${million}`],
    ['output_cost_per_token_above_200k_tokens_priority', `output priority >200000 ${million}`],
    [
      'cache_read_input_token_cost_above_200k_tokens_priority',
      `cache_read priority >200000 ${million}`,
    ],
    ['cache_read_input_audio_token_cost', `cache_read_audio ${million}`],
    ['input_cost_per_audio_token_priority', `input_audio priority ${million}`],
    ['annotation_cost_per_page', 'annotated_page per 1 page'],
    ['cache_creation_input_token_cost_above_272k_tokens', `cache_write >272000 ${million}`],
    [
      'cache_creation_input_token_cost_above_272k_tokens_flex',
      `cache_write flex >272000 ${million}`,
    ],
    ['cache_creation_input_token_cost_flex', `cache_write flex ${million}`],
    ['cache_creation_input_token_cost_priority', `cache_write priority ${million}`],
    ['cache_read_input_token_cost_above_272k_tokens_flex', `cache_read flex >272000 ${million}`],
    ['input_cost_per_request', 'request per 1 request'],
    ['input_cost_per_token_above_272k_tokens_flex', `input flex >272000 ${million}`],
    ['output_cost_per_character', 'output_character per 1000000 character'],
    ['output_cost_per_token_above_272k_tokens_flex', `output flex >272000 ${million}`],
    ['code_interpreter_cost_per_session', 'code_interpreter_session per 1 session'],
    [
      'input_cost_per_audio_per_second_above_128k_tokens',
      'input_audio_second >128000 per 1 second',
    ],
    ['input_cost_per_character_above_128k_tokens', 'input_character >128000 per 1000000 character'],
    ['input_cost_per_image_above_128k_tokens', 'input_image_item >128000 per 1 image'],
    [
      'input_cost_per_video_per_second_above_128k_tokens',
      'input_video_second >128000 per 1 second',
    ],
    [
      'input_cost_per_video_per_second_above_15s_interval',
      'input_video_second_over_15s per 1 second',
    ],
    [
      'input_cost_per_video_per_second_above_8s_interval',
      'input_video_second_over_8s per 1 second',
    ],
    ['ocr_cost_per_credit', 'ocr_credit per 1 credit'],
    [
      'output_cost_per_character_above_128k_tokens',
      'output_character >128000 per 1000000 character',
    ],
    ['output_cost_per_video_token', `output_video ${million}`],
    ['cache_read_input_token_cost_above_512k_tokens', `cache_read >512000 ${million}`],
    ['citation_cost_per_token', `citation ${million}`],
    ['input_cost_per_token_above_256k_tokens', `input >256000 ${million}`],
    ['input_cost_per_token_above_512k_tokens', `input >512000 ${million}`],
    ['output_cost_per_second_1080p', 'output_second_1080p per 1 second'],
    ['output_cost_per_token_above_256k_tokens', `output >256000 ${million}`],
    ['output_cost_per_token_above_512k_tokens', `output >512000 ${million}`],
  ])('%s is %s', (field, meaning) => {
    expect(saysCost(field)).toBe(true);
    expect(said(field)).toBe(meaning);
  });

  it.each([
    ['input_cost_per_second', 'audio_transcription', 'audio_second per 1 second'],
    ['output_cost_per_second', 'audio_speech', 'output_audio_second per 1 second'],
    ['output_cost_per_second', 'video_generation', 'output_video_second per 1 second'],
    ['output_cost_per_second_1080p', 'video_generation', 'output_video_second_1080p per 1 second'],
  ])('%s of %s is %s', (field, mode, meaning) => {
    expect(said(field, mode)).toBe(meaning);
  });

  it.each([
    'output_cost_per_smell',
    'input_cost_per_token_above_200k_tokens_above_128k_tokens',
    'input_cost_per_token_flex_priority',
    'input_cost_per_token_above_1hr',
    'input_cost_per_token_1080p',
    'constructor',
  ])('%s has no meaning', (field) => {
    expect(said(field)).toBe('nothing');
  });
});
