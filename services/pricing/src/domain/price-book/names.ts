import { refuse, type Refusal } from './verdict.js';

const unprintable = /\p{C}/u;
/** What follows the category in a stream's name. */
const streamNameMax = 200;

/**
 * Names are joined by `:` and `,` into the names of streams, so that a provider must hold neither: `a:b` + `c` would share a
 * stream with `a` + `b:c`.
 */
export const nameFault = (name: {
  readonly provider?: string | undefined;
  readonly model?: string | undefined;
}): Refusal | undefined => {
  const { provider = '', model = '' } = name;
  if (/[:,]/.test(provider)) return refuse('invalid-request', 'a provider holds neither : nor ,');
  if (model.includes(',')) return refuse('invalid-request', 'a model’s name holds no comma');
  if (unprintable.test(provider + model)) {
    return refuse('invalid-request', 'a name holds no control characters');
  }
  return provider.length + model.length + 40 > streamNameMax
    ? refuse('invalid-request', 'provider and model are too long together')
    : undefined;
};
