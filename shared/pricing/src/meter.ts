/**
 * What the names of meters mean. The set is open: any other name is priced by its own rate or refused.
 *
 * A modality's meter is `<token meter>_<modality>`: `input_audio`, `cache_read_image`, `output_video`.
 */

const inputSide = ['input', 'cache_read', 'cache_write', 'cache_write_1h'] as const;
const outputSide = ['output', 'reasoning'] as const;
const modalities = ['text', 'audio', 'image', 'video'] as const;

/** Token meters that a text call may be billed by: the ones that a bound covers. */
export const textMeters = { input: inputSide, output: outputSide } as const;

/** Counted once a call, also where the usage does not name it. */
export const callMeter = 'request';

/** Where a version has no rate for a meter, the next meter that prices its tokens. */
const fallbackOf: Readonly<Record<string, string>> = {
  reasoning: 'output',
  cache_read: 'input',
  cache_write: 'input',
  cache_write_1h: 'cache_write',
};

/** The meter and those that price its tokens in its place, nearest first. */
export const meterChain = (meter: string): readonly string[] => {
  const chain = [meter];
  for (let next = fallbackOf[meter]; next !== undefined; next = fallbackOf[next]) chain.push(next);
  return chain;
};

const plainMeters = new Map<string, string>();
const inputMeters = new Set<string>(inputSide);
const outputMeters = new Set<string>(outputSide);
for (const modality of modalities) {
  for (const meter of inputSide) {
    plainMeters.set(`${meter}_${modality}`, meter);
    inputMeters.add(`${meter}_${modality}`);
  }
  for (const meter of outputSide) {
    plainMeters.set(`${meter}_${modality}`, meter);
    outputMeters.add(`${meter}_${modality}`);
  }
}

// The direction of audio matters only where it has a price of its own.
plainMeters.set('input_audio_second', 'audio_second');
plainMeters.set('output_audio_second', 'audio_second');

// Searches are sized where a price list sizes them; where the answer does not, they are of the size that vendors use unasked.
for (const size of ['low', 'medium', 'high']) plainMeters.set(`web_search_${size}`, 'web_search');
plainMeters.set('web_search', 'web_search_medium');

/** The meter that prices another one's units in its place: `input_audio` → `input`; undefined where there is none. */
export const plainMeterOf = (meter: string): string | undefined => plainMeters.get(meter);

/** True for meters whose tokens count towards a context tier's threshold. */
export const isInputMeter = (meter: string): boolean => inputMeters.has(meter);

/** True for meters of tokens that the vendor makes. */
export const isOutputMeter = (meter: string): boolean => outputMeters.has(meter);
