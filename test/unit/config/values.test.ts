import * as fc from 'fast-check';
import { configDigest } from '../../../src/config/config-digest.ts';
import { loadConfig } from '../../../src/config/load-config.ts';
import { parseSize } from '../../../src/config/size.ts';
import { zstdLevel } from '../../../src/config/compression-level.ts';
import { formatDuration, parseDuration } from '../../../src/domain/duration.ts';
import { editDistance, nearestName } from '../../../src/domain/nearest-name.ts';

describe('durations', () => {
  test.each([
    ['6h', 21_600_000],
    ['1d12h', 129_600_000],
    ['PT6H', 21_600_000],
    ['P1DT12H', 129_600_000],
    ['P2W', 1_209_600_000],
    ['90s', 90_000],
    ['250ms', 250],
    ['1m', 60_000],
    ['1m30s', 90_000],
    ['1m500ms', 60_500],
    ['0s', 0],
  ])('%s is %d ms', (text, expected) => {
    expect(parseDuration(text)).toBe(expected);
  });

  test.each([
    '',
    '15',
    '1.5h',
    'h',
    'PT',
    'P',
    'P1DT',
    'P1M',
    'P1Y',
    '-1h',
    '1h 1h',
    '12h1d',
    '1h1h',
    '9999999999999w',
    'six hours',
  ])('%j is none', (text) => {
    expect(parseDuration(text)).toBeUndefined();
  });

  test('what is formatted reads back as the same', () => {
    fc.assert(
      fc.property(fc.nat({ max: 10_000_000_000 }), (milliseconds) => {
        expect(parseDuration(formatDuration(milliseconds))).toBe(milliseconds);
      }),
    );
  });
});

describe('sizes', () => {
  test.each([
    ['256MiB', 268_435_456],
    ['1.5 GB', 1_500_000_000],
    ['0', 0],
    ['1048576', 1_048_576],
    ['10b', 10],
  ])('%s is %d bytes', (text, expected) => {
    expect(parseSize(text)).toBe(expected);
  });
  test.each(['', 'MiB', '-1', '1 MiBs', '1e3', '99999999TiB'])('%j is none', (text) => {
    expect(parseSize(text)).toBeUndefined();
  });
});

test('compression levels never fall, and 6 is zstd 3', () => {
  const levels = [1, 2, 3, 4, 5, 6, 7, 8, 9].map(zstdLevel);
  expect(levels).toEqual(levels.toSorted((left, right) => left - right));
  expect(zstdLevel(6)).toBe(3);
});

describe('nearestName', () => {
  test('suggests what is near and stays silent where nothing is', () => {
    expect(nearestName('retentoin', ['retention', 'restore'])).toBe('retention');
    expect(nearestName('BACKUP_MAXCOUNT', ['BACKUP_MAX_COUNT'])).toBe('BACKUP_MAX_COUNT');
    expect(nearestName('zzz', ['retention'])).toBeUndefined();
  });
  test('the distance is symmetric and zero only for equals', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 12 }), fc.string({ maxLength: 12 }), (left, right) => {
        const distance = editDistance(left, right);
        expect([editDistance(right, left), distance === 0]).toEqual([distance, left === right]);
      }),
    );
  });
});

const digest = (env: Record<string, string>): string => configDigest(loadConfig({ env, cwd: '/nowhere' }).config);

describe('configDigest', () => {
  test('changes with every value, secrets included, and not with how progress is shown', () => {
    const base = digest({});
    expect(digest({ LIFEBOAT_PROGRESS: 'none' })).toBe(base);
    const others = [
      { LIFEBOAT_JOBS: '3' },
      { PGPASSWORD: 'a' },
      { PGPASSWORD: 'b' },
      { DATABASE_URL: 'postgres://u:a@h/d' },
      { DATABASE_URL: 'postgres://u:b@h/d' },
    ].map(digest);
    expect(new Set([base, ...others]).size).toBe(6);
    expect(base).toMatch(/^[0-9a-f]{64}$/);
  });
});
