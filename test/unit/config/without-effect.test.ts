import { loadConfig } from '../../../src/config/load-config.ts';
import { findWithoutEffect, WITHOUT_EFFECT } from '../../../src/config/without-effect.ts';

const found = (env: Readonly<Record<string, string>>): unknown =>
  findWithoutEffect(loadConfig({ flags: { config: null }, env, cwd: '/' })).map(({ line, set }) => [
    line,
    set.map(({ key, origin }) => `${key} ${origin.name}`),
  ]);

// Names that are of a section which is still in the list.
const LISTED = ['crossRegion', 'retention', 'schedule'].every((line) => WITHOUT_EFFECT.includes(line));

describe('configuration without effect', () => {
  test('is not what has its default', () => {
    expect(found({})).toEqual([]);
    expect(found({ LIFEBOAT_JOBS: '3', BACKUP_PATH: '/b' })).toEqual([]);
  });

  (LISTED ? test : test.skip)('is what somebody has set of a section that nothing acts on, also to its default', () => {
    expect(found({ BACKUP_RETENTION_DAYS: '30', BACKUP_MAX_COUNT: '5' })).toEqual([
      ['retention', ['retention.days BACKUP_RETENTION_DAYS', 'retention.maxBackups BACKUP_MAX_COUNT']],
    ]);
  });

  (LISTED ? test : test.skip)('is not what stands beside a switch that is off', () => {
    expect(found({ BACKUP_SCHEDULE_ENABLED: 'false', BACKUP_SCHEDULE_INTERVAL: '2h' })).toEqual([]);
    expect(found({ CROSS_REGION_TARGETS: 'eu-west-1' })).toEqual([]);
    expect(found({ BACKUP_SCHEDULE_ENABLED: 'true' })).toEqual([
      ['schedule', ['schedule.enabled BACKUP_SCHEDULE_ENABLED']],
    ]);
  });
});
