/**
 * JSON with one spelling: keys sorted by code unit, no spaces, properties that are undefined left out, a newline at the
 * end. Equal values give equal bytes, so that digests and signatures can be made again from what was read.
 * Throws a TypeError for what JSON cannot hold (NaN, bigint, functions).
 */
export function canonicalJson(value: unknown): Buffer {
  return Buffer.from(`${write(value)}\n`);
}

function write(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(write).join(',')}]`;
  if (typeof value === 'object' && value !== null) return writeObject(value);
  if (typeof value === 'number' && !Number.isFinite(value)) throw new TypeError(`${value} is no JSON number`);
  const text = typeof value === 'bigint' ? undefined : JSON.stringify(value);
  if (text === undefined) throw new TypeError(`${typeof value} is no JSON value`);
  return text;
}

/** A journal's chapter is written again with every commit: sorting names is twice as fast as sorting pairs. */
function writeObject(object: object): string {
  const values = object as Readonly<Record<string, unknown>>;
  const names = Object.keys(object).filter((name) => values[name] !== undefined);
  const members = names.toSorted().map((name) => `${JSON.stringify(name)}:${write(values[name])}`);
  return `{${members.join(',')}}`;
}
