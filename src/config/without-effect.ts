import { flatten, type Origin } from './layers.ts';
import type { LoadedConfig } from './load-config.ts';

/**
 * Keys, and sections as a whole, that are read and checked but that nothing acts on yet. Whoever begins to act on one takes its
 * line out (of a section: puts the rest of its keys in); test/architecture/configuration.test.ts compares this list with the code.
 */
export const WITHOUT_EFFECT: readonly string[] = [
  'postgres.logical',
  'postgres.walArchivePath',
  'redis.rdbPath',
  'endpoints.*.url',
  'endpoints.*.database',
  'endpoints.*.socket',
  'endpoints.*.backend',
  'endpoints.*.server',
  'endpoints.*.zone',
  'endpoints.*.record',
  'endpoints.*.keyFile',
  'endpoints.*.ttl',
  'security',
];

/** One line of the list that somebody has set something of. */
export interface WithoutEffect {
  readonly line: string;
  /** Dotted keys, with where each was set. */
  readonly set: readonly { readonly key: string; readonly origin: Origin }[];
}

/** What was set for nothing. A switch that is off promises nothing, and neither does what stands beside it. */
export function findWithoutEffect({ config, origins }: Pick<LoadedConfig, 'config' | 'origins'>): WithoutEffect[] {
  const values = flatten(config);
  return WITHOUT_EFFECT.flatMap((line) => {
    if (values.get(`${line}.enabled`) === false) return [];
    const set = Object.entries(origins)
      .filter(([key, { kind }]) => kind !== 'default' && isOf(key, line))
      .filter(([key]) => values.get(key) !== false)
      .map(([key, origin]) => ({ key, origin }));
    return set.length === 0 ? [] : [{ line, set }];
  });
}

/** `*` in a line stands for any name. */
function isOf(key: string, line: string): boolean {
  const words = key.split('.');
  return line.split('.').every((word, index) => word === '*' || word === words[index]);
}
