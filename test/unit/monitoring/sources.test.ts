import { METRICS } from '../../../src/monitoring/metrics.ts';
import { SOURCE_NAMES } from '../../../src/monitoring/source-names.ts';
import { createSources, type SourcesOptions } from '../../../src/sampling/sources.ts';

const sourcesOf = (roles: SourcesOptions['roles']): readonly string[] => {
  const deps = { settings: { group: 'default' }, targets: [{ name: 'east' }] };
  return createSources({ deps, roles, intervalMs: 1_000 } as unknown as SourcesOptions).map(({ name }) => name);
};

test('a worker with the role control looks at everything, another one at its own surroundings', () => {
  expect(sourcesOf(['control', 'data']).toSorted()).toEqual(SOURCE_NAMES.toSorted());
  expect(sourcesOf(['data', 'journal'])).toEqual(['temporal', 'databases', 'stores', 'sdk']);
});

test('every metric has a source that is looked at, and every name follows the conventions', () => {
  for (const [name, { source, type, labels }] of Object.entries(METRICS)) {
    expect(['always', ...SOURCE_NAMES]).toContain(source);
    expect([name, name.endsWith('_total')]).toEqual([name, type === 'counter']);
    expect(name).toMatch(/^lifeboat_[a-z]+(_[a-z]+)*$/);
    expect(labels).not.toContain('group');
  }
});
