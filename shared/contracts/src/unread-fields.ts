/**
 * What was sent and a schema did not read, as paths such as `['scope', 'teir']`: a misspelt field must not pass for one
 * that was left out.
 */
export const unreadFields = (sent: unknown, read: unknown): string[][] => {
  if (typeof sent !== 'object' || sent === null) return [];
  const known = typeof read === 'object' && read !== null ? read : {};
  return Object.entries(sent).flatMap(([name, value]: [string, unknown]) => {
    if (value === undefined) return [];
    if (!Object.hasOwn(known, name)) return [[name]];
    const within = (known as Readonly<Record<string, unknown>>)[name];
    return unreadFields(value, within).map((path) => [name, ...path]);
  });
};
