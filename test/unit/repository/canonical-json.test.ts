import fc from 'fast-check';
import { canonicalJson } from '../../../src/repository/canonical-json.ts';
import { runs } from '../../support/property-runs.ts';

const reversed = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(reversed);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).map(([name, member]) => [name, reversed(member)]);
  return Object.fromEntries(entries.toReversed());
};

test('any JSON value comes back equal, whatever the order of its keys, with one spelling', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      const bytes = canonicalJson(value);
      const parsed: unknown = JSON.parse(bytes.toString('utf8'));
      expect(JSON.parse(JSON.stringify(value))).toEqual(parsed);
      expect(canonicalJson(parsed).equals(bytes)).toBe(true);
      expect(canonicalJson(reversed(value)).equals(bytes)).toBe(true);
    }),
    { seed: 42, numRuns: runs(500) },
  );
});

test('keys are sorted, there are no spaces, undefined is left out, a newline ends it', () => {
  const text = canonicalJson({ b: [1, { d: null, c: 'ä"' }], a: undefined, Z: -0 }).toString('utf8');
  expect(text).toBe('{"Z":0,"b":[1,{"c":"ä\\"","d":null}]}\n');
});

test.each([[Number.NaN], [Infinity], [1n], [() => 1], [Symbol('x')], [[undefined]]])('%p is refused', (value) => {
  expect(() => canonicalJson({ value })).toThrow(TypeError);
});
