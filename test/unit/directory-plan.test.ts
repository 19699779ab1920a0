import type { Manifest, PostgresComponent, RedisComponent } from '../../src/domain/backup.ts';
import { type DirectorySources, planDirectory } from '../../src/domain/directory-plan.ts';

const AT = '2026-01-02T03:04:05.678Z';
const base = { bytes: 10, endLsn: '0/5000000' };
const postgres = {
  database: 'auth',
  server: '18.6',
  method: ['logical', 'physical'],
  base,
} as unknown as PostgresComponent;
const redis = {
  server: '7.0.15',
  keys: 7,
  bytes: 3,
  method: 'replication',
} as unknown as RedisComponent;

function manifest(id: string, components: Manifest['components']): Manifest {
  return { id, recoveryPoint: { time: AT }, codec: { encryption: 'none' }, components } as Manifest;
}

function plan(components: Manifest['components'], more: Partial<DirectorySources> = {}) {
  const full = manifest('backup-full', components);
  const sources = {
    manifest: full,
    components: ['postgres', 'redis'],
    replay: null,
    base: full,
    snapshot: full,
  } as const;
  return planDirectory({ ...sources, ...more }, { directory: '/srv/copy', restoreId: 'restore-1' });
}

describe('a restore into a directory', () => {
  it('takes a full backup as it is', () => {
    const { steps, ...planned } = plan({ postgres, redis });
    expect(planned).toMatchObject({
      backupId: 'backup-full',
      postgres: { baseId: 'backup-full', target: null, bytes: 10 },
      redis: { snapshotId: 'backup-full', target: null, keys: 7 },
    });
    expect(steps).toEqual([
      'unpack the base of backup-full (PostgreSQL 18.6) beside /srv/copy',
      'replay its WAL to the end of the base, then shut it down',
      'write the 7 keys of backup-full (Redis 7.0.15) as append-only data',
      'rename what is whole to /srv/copy',
    ]);
  });

  it('replays each component from the backup that was found for it', () => {
    const atMs = Date.parse(AT);
    const target = { atMs };
    const planned = plan(
      { postgres, redis },
      {
        replay: { postgres: { baseId: 'backup-full', target }, redis: { snapshotId: 'backup-start', target } },
        snapshot: manifest('backup-start', { redis: { ...redis, keys: 9 } }),
      },
    );
    expect(planned.redis).toMatchObject({ snapshotId: 'backup-start', keys: 9, target });
    expect(planned.steps.join('\n')).toContain(`replay its WAL to the last transaction at or before ${AT}`);
  });

  it('is refused without a base, and without an RDB, with what can be had instead', () => {
    const { base: _none, ...logical } = postgres;
    const missing = { code: 'RESTORE_COMPONENT_MISSING' };
    const withoutBase = () => plan({ postgres: { ...logical, method: ['logical'] }, redis });
    expect(withoutBase).toThrow(expect.objectContaining({ ...missing, hint: expect.stringContaining('--redis') }));
    for (const method of ['dump', 'dump-incremental'] as const) {
      const dump: RedisComponent = { ...redis, method };
      const withoutRdb = () => plan({ postgres, redis: dump });
      expect(withoutRdb).toThrow(expect.objectContaining({ ...missing, hint: expect.stringContaining('--postgres') }));
      expect(plan({ postgres, redis: dump }, { components: ['postgres'] }).redis).toBeNull();
    }
    expect(plan({ postgres: logical, redis }, { components: ['redis'] }).postgres).toBeNull();
  });
});
