import { parseTime } from '../../../src/cli/time.ts';
import { caught } from '../../support/caught.ts';

const now = new Date('2024-03-10T12:00:00.000Z');

test.each([
  ['2024-01-15T10:30:00Z', '2024-01-15T10:30:00.000Z'],
  ['2024-01-15T10:30:00+01:00', '2024-01-15T09:30:00.000Z'],
  ['2024-01-15 10:30-0530', '2024-01-15T16:00:00.000Z'],
  ['2024-01-15T10:30:00.123456z', '2024-01-15T10:30:00.123Z'],
  ['2024-01-15T10:30+02', '2024-01-15T08:30:00.000Z'],
  ['2024-01-15Z', '2024-01-15T00:00:00.000Z'],
  ['now', '2024-03-10T12:00:00.000Z'],
  ['now-15m', '2024-03-10T11:45:00.000Z'],
  ['now-1d12h', '2024-03-09T00:00:00.000Z'],
  ['now+90s', '2024-03-10T12:01:30.000Z'],
])('%s is %s', (text, expected) => {
  expect(parseTime(text, now).toISOString()).toBe(expected);
});

test.each([
  '',
  'yesterday',
  '2024-02-30T10:00Z',
  '2024-13-01Z',
  '2024-01-15T25:00Z',
  '2024-01-15T10:30+15:00',
  'now-15',
  'now-',
  '10:30',
  '15.01.2024',
])('%j is no time', (text) => {
  expect(() => parseTime(text, now)).toThrow(expect.objectContaining({ code: 'TIME_INVALID' }));
});

test('a time without an offset is refused with the two readings', async () => {
  const error = await caught(() => parseTime('2024-07-15T10:30:00', now));
  expect(error.code).toBe('TIME_WITHOUT_OFFSET');
  const here = new Date('2024-07-15T10:30:00').toISOString().slice(0, 19);
  expect(error.details['readings']).toEqual(['2024-07-15T10:30:00Z in UTC', expect.stringContaining(`${here}Z`)]);
  expect(error.message).toContain('2024-07-15T10:30:00Z in UTC');
});
