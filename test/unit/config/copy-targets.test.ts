import { configSchema } from '../../../src/config/schema/config.ts';
import { cleanupRules, targetCleanupRules } from '../../../src/assembly/cleanup-rules.ts';
import { configuredTargets, replicationDelayMs } from '../../../src/config/targets.ts';
import { compareTarget } from '../../../src/domain/target-facts.ts';
import { caught } from '../../support/caught.ts';

const remoteStorage = { bucket: 'auth-backups', region: 'us-east-1' };
const targetsOf = (config: unknown): unknown[] =>
  configuredTargets(configSchema.parse(config)).map(({ name, place }) => [name, place]);

test.each([
  ['nothing', {}, []],
  ['a bucket', { storage: { remoteStorage } }, [['remote', { url: 's3://auth-backups?region=us-east-1' }]]],
  ['a bucket that is switched off', { storage: { remoteStorage: { ...remoteStorage, enabled: false } } }, []],
  [
    'another server',
    {
      storage: {
        remoteStorage: { ...remoteStorage, type: 's3', prefix: '/a/b/', endpoint: 'http://h:1', forcePathStyle: true },
      },
    },
    [['remote', { url: 's3://auth-backups/a/b?region=us-east-1&endpoint=http%3A%2F%2Fh%3A1&forcePathStyle=true' }]],
  ],
  ['regions that are switched off', { crossRegion: { regions: ['eu-west-1'] } }, []],
  [
    'the manual',
    {
      storage: { remoteStorage },
      crossRegion: { enabled: true, regions: ['us-west-2', 'vault'] },
      stores: { vault: { url: 'file:/v' } },
    },
    [
      ['remote', { url: 's3://auth-backups?region=us-east-1' }],
      ['us-west-2', { url: 's3://auth-backups-us-west-2?region=us-west-2' }],
      ['vault', { store: 'vault' }],
    ],
  ],
  [
    'a folder as remote',
    { storage: { remoteStorage: { enabled: true } }, stores: { remote: { url: 'file:/r' } } },
    [['remote', { store: 'remote' }]],
  ],
])('targets of %s', (_, config, expected) => {
  expect(targetsOf(config)).toEqual(expected);
});

test.each([
  ['a region without a place', { crossRegion: { enabled: true, regions: ['eu-west-1'] } }, 'CONFIG_INCOMPLETE'],
  ['remote without a place', { storage: { remoteStorage: { enabled: true } } }, 'CONFIG_INCOMPLETE'],
  ['s3 without an endpoint', { storage: { remoteStorage: { ...remoteStorage, type: 's3' } } }, 'CONFIG_INCOMPLETE'],
  [
    'a region twice',
    { storage: { remoteStorage }, crossRegion: { enabled: true, regions: ['a', 'a'] } },
    'CONFIG_INVALID',
  ],
  [
    'the repository itself',
    { storage: { primary: 'p' }, crossRegion: { enabled: true, regions: ['p'] }, stores: { p: { url: 'file:/p' } } },
    'CONFIG_INVALID',
  ],
])('%s is refused', async (_, config, code) => {
  expect((await caught(async () => targetsOf(config))).code).toBe(code);
});

test('the delay is seconds or a duration', () => {
  const delayOf = (replicationDelay: unknown): number =>
    replicationDelayMs(configSchema.parse({ crossRegion: { replicationDelay } }));
  expect([delayOf(undefined), delayOf(0), delayOf('5m')]).toEqual([300_000, 0, 300_000]);
});

test('what a target lacks is told with the age of the oldest', () => {
  const own = [
    { id: 'c', finishedAt: '2026-01-01T00:02:00Z' },
    { id: 'b', finishedAt: '2026-01-01T00:01:00Z' },
    { id: 'a', finishedAt: '2026-01-01T00:00:00Z' },
  ];
  const now = Date.parse('2026-01-01T00:03:00Z');
  expect(compareTarget(own, new Set(['a', 'gone-from-the-repository']), now)).toEqual({
    state: 'behind',
    backups: 2,
    pending: 2,
    pendingBackups: ['b', 'c'],
    lagSeconds: 120,
  });
  expect(compareTarget(own, new Set(['a', 'b', 'c']), now)).toMatchObject({
    state: 'in-sync',
    pending: 0,
    lagSeconds: 0,
  });
  expect(compareTarget(own, null, now)).toMatchObject({ state: 'unused', pending: 3, lagSeconds: 180 });
});

test('a target has the rules of the group but for what it says itself', async () => {
  const config = configSchema.parse({
    retention: { days: 30, maxBackups: 50, gfs: { weekly: 4 } },
    storage: { remoteStorage: { ...remoteStorage, retention: { minFull: 3 } } },
    crossRegion: { enabled: true, regions: ['vault', 'us-west-2'] },
    stores: {
      vault: {
        url: 'file:/v',
        objectLock: { period: '7d' },
        retention: { days: 365, gfs: { yearly: 2 }, grace: '0s' },
      },
    },
  });
  const rules = configuredTargets(config).map((target) => targetCleanupRules(config, target));
  expect(rules).toMatchObject([
    { graceMs: 86_400_000, retention: { days: 30, maxBackups: 50, minFull: 3, gfs: { weekly: 4 }, lockedMs: 0 } },
    {
      graceMs: 0,
      retention: { days: 365, maxBackups: 50, minFull: 1, gfs: { weekly: 0, yearly: 2 }, lockedMs: 604_800_000 },
    },
    { graceMs: 86_400_000, retention: { days: 30, maxBackups: 50, minFull: 1, gfs: { weekly: 4 }, lockedMs: 0 } },
  ]);
  const wrong = configSchema.parse({
    storage: { primary: 'p' },
    stores: { p: { url: 'file:/p', retention: { days: 1 } } },
  });
  expect((await caught(async () => cleanupRules(wrong))).code).toBe('CONFIG_INVALID');
});
