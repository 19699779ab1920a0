import { basename } from 'node:path';
import TestSequencer from '@jest/test-sequencer';

/** Files that take a minute and more on two cores, the longest first. */
const LONGEST = [
  'broken-in-mid-stream',
  'killed-at-boundaries',
  'product-point-in-time',
  'product-incremental-by-digests',
  'product-round-trip',
  'product-copies',
  'repository-journals-survive',
  'product-native-incremental',
  'product-damage',
  'product-point-in-time-guide',
];

/**
 * Order of the test files: the longest begin first, so that none of them is left to run alone at the end. Jest goes by what each took
 * before; a fresh clone has no such record, and the size of a file says little about how long it waits for servers.
 * Jest loads what a module gives by default.
 */
// oxlint-disable-next-line import/no-default-export
export default class LongestFirst extends TestSequencer {
  sort(tests) {
    const places = new Map(LONGEST.map((name, place) => [`${name}.test.ts`, place]));
    const placeOf = ({ path }) => places.get(basename(path)) ?? LONGEST.length;
    // oxlint-disable-next-line unicorn/no-array-sort -- a method of Jest with that name
    const inJestsOrder = super.sort(tests);
    // Sorting is stable: all others stay as Jest has them.
    return inJestsOrder.toSorted((a, b) => placeOf(a) - placeOf(b));
  }
}
