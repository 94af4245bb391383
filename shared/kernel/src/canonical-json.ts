export type Json =
  string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json | undefined };

const isList = (value: Json): value is readonly Json[] => Array.isArray(value);

/** Nothing that JSON escapes: no control character, quote, backslash or surrogate. */
const plain = /^[ !#-[\]-\ud7ff\ue000-\uffff]*$/;

/** As JSON.stringify does it; that call costs thrice as much for the short texts of a command. */
const quoted = (text: string): string => (plain.test(text) ? `"${text}"` : JSON.stringify(text));

/** JSON with sorted keys and no absent fields: equal values have equal text, so text can be hashed. */
export const canonicalJson = (value: Json): string => {
  if (typeof value === 'string') return quoted(value);
  if (value === null || typeof value !== 'object') return String(value);
  if (isList(value)) return `[${value.map(canonicalJson).join(',')}]`;
  let text = '{';
  for (const key of Object.keys(value).sort()) {
    const field = value[key];
    if (field === undefined) continue;
    if (text.length > 1) text += ',';
    text += `${quoted(key)}:${canonicalJson(field)}`;
  }
  return `${text}}`;
};
