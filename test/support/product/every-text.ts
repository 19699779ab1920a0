/** All strings and bytes inside a value, one after the other: what a search through a history has to see, payloads included. */
export function everyTextOf(value: unknown): string {
  if (typeof value === 'string') return `${value}\n`;
  if (value instanceof Uint8Array) return `${Buffer.from(value).toString('latin1')}\n`;
  if (typeof value !== 'object' || value === null) return '';
  const parts: readonly unknown[] = Array.isArray(value) ? value : Object.values(value);
  return parts.map(everyTextOf).join('');
}
