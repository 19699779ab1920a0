/**
 * JSON with sorted keys: equal values have equal texts, however they were written. What is undefined is left out. `replace` is asked for
 * every value, the whole one among them.
 */
export function sortedJson(value: unknown, replace: (value: unknown) => unknown = (one) => one): string {
  const shown = replace(value);
  if (Array.isArray(shown)) return `[${shown.map((one) => sortedJson(one, replace)).join(',')}]`;
  if (typeof shown !== 'object' || shown === null) return JSON.stringify(shown) ?? 'null';
  const members = Object.entries(shown)
    .filter(([, member]) => member !== undefined)
    .toSorted(([left], [right]) => (left < right ? -1 : 1));
  return `{${members.map(([name, member]) => `${JSON.stringify(name)}:${sortedJson(member, replace)}`).join(',')}}`;
}
