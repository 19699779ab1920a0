import { type BackupRecord, type RedisFacts, SAVED_BEFORE_RESTORE } from '../../../src/domain/backup.ts';
import { isDigestBase, redisLayersOf, redisParentOf } from '../../../src/domain/redis-chain.ts';
import { planVerification } from '../../../src/recovery/plan-verification.ts';

const AT = '2026-01-02T03:04:05.678Z';
const FACTS: RedisFacts = {
  server: '7.0.15',
  method: 'dump',
  consistent: false,
  keys: 3,
  databases: { 0: 3 },
  functions: 0,
  replid: '',
  offset: 0,
  rdbVersion: 10,
  digest: 'd'.repeat(64),
  snapshotAt: AT,
};

function record(id: string, redis: Partial<RedisFacts>, more: Partial<BackupRecord> = {}): BackupRecord {
  return {
    id,
    kind: redis.method === 'dump-incremental' ? 'incremental' : 'full',
    group: 'g',
    parentId: redis.digests?.layers[0] ?? null,
    createdAt: AT,
    finishedAt: AT,
    durationMs: 0,
    status: 'complete',
    label: {},
    holds: [],
    encrypted: false,
    signed: true,
    verifiedAt: null,
    components: { redis: { ...FACTS, ...redis, bytes: 1, storedBytes: 1 } },
    recoveryPoint: { time: AT },
    bytes: 1,
    storedBytes: 1,
    location: 'memory:',
    copies: [],
    ...more,
  };
}

const digests = (...layers: string[]): NonNullable<RedisFacts['digests']> => ({ layers, changed: 3, deleted: 0 });
const full = (id: string, more: Partial<BackupRecord> = {}): BackupRecord => record(id, { digests: digests() }, more);
const change = (id: string, layers: string[], more: Partial<BackupRecord> = {}): BackupRecord =>
  record(id, { method: 'dump-incremental', digests: digests(...layers) }, more);

test.each([
  ['a full one with digests', full('a'), true],
  ['a full one without digests, as earlier versions took it', record('a', {}), false],
  ['a full one by replication', record('a', { method: 'replication' }), false],
  ['an incremental one', change('b', ['a']), false],
  ['a damaged one', full('a', { status: 'damaged' }), false],
  ['the keys that a restore has saved', full('a', { label: { reason: SAVED_BEFORE_RESTORE } }), false],
])('%s is a base or is not', (_what, backup, expected) => {
  expect(isDigestBase(backup)).toBe(expected);
});

test('the parent is the newest sound backup of the chain of that full one', () => {
  const backups = [change('y', ['x']), full('x'), change('c', ['a', 'b']), change('b', ['a']), full('a')];
  expect(redisParentOf(backups, 'x')?.id).toBe('y');
  expect(redisParentOf(backups, 'a')?.id).toBe('c');
  const damaged = backups.map((one) => (one.id === 'c' ? { ...one, status: 'damaged' as const } : one));
  expect(redisParentOf(damaged, 'a')?.id).toBe('b');
  expect(redisParentOf([full('a')], 'a')?.id).toBe('a');
});

describe('verification of an incremental copy', () => {
  const chain = [change('c', ['a', 'b']), change('b', ['a']), full('a')];
  const plan = async (backups: readonly BackupRecord[]): Promise<Awaited<ReturnType<typeof planVerification>>> => {
    const load = async (): Promise<never> => Promise.reject(new Error('not asked for'));
    return await planVerification({ list: async () => [...backups], load, verifyChain: async () => [] }, 'c');
  };

  test('reads all that it stands on', async () => {
    expect(redisLayersOf(chain[0]!.components.redis)).toEqual(['a', 'b']);
    expect(await plan(chain)).toEqual({ backupIds: ['a', 'b', 'c'], journals: [], problems: [] });
  });

  test('names what is missing', async () => {
    const { backupIds, problems } = await plan(chain.filter(({ id }) => id !== 'b'));
    expect(backupIds).toEqual(['a', 'c']);
    expect(problems).toMatchObject([{ backupId: 'c', key: 'backups/b', code: 'BACKUP_NOT_FOUND' }]);
  });
});
