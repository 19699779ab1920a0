import { loadConfig } from '../../../src/config/load-config.ts';
import { findWithoutEffect, WITHOUT_EFFECT } from '../../../src/config/without-effect.ts';

const found = (env: Readonly<Record<string, string>>): unknown =>
  findWithoutEffect(loadConfig({ flags: { config: null }, env, cwd: '/' })).map(({ line, set }) => [
    line,
    set.map(({ key, origin }) => `${key} ${origin.name}`),
  ]);

describe('configuration without effect', () => {
  test('is not what has its default', () => {
    expect(found({})).toEqual([]);
    expect(found({ LIFEBOAT_JOBS: '3', BACKUP_PATH: '/b' })).toEqual([]);
  });

  test('is what somebody has set of what nothing acts on, also to its default', () => {
    expect(WITHOUT_EFFECT).toContain('postgres.walArchivePath');
    expect(found({ WAL_ARCHIVE_PATH: '/wal' })).toEqual([
      ['postgres.walArchivePath', ['postgres.walArchivePath WAL_ARCHIVE_PATH']],
    ]);
  });
});
