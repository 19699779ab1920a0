import { judgeJournal, type JournalRun, type JournalSymptoms } from '../../src/domain/journal-state.ts';

const well: JournalSymptoms = {
  enabled: true,
  flushSeconds: 5,
  lagSeconds: 3,
  slot: { exists: true, walStatus: 'reserved' },
  gaps: [],
  problems: [],
};
const running: JournalRun = {
  phase: 'following',
  details: null,
  activity: { state: 'running', attempt: 1, lastFailure: null },
};
const gap = { from: '2026-01-01T00:00:00.000Z', to: null, code: 'JOURNAL_GAP', message: 'the slot is gone' };

test('a journal that keeps up follows', () => {
  expect(judgeJournal(well, running)).toEqual({ state: 'following', reason: null });
});

test.each<[string, Partial<JournalSymptoms>, Partial<JournalRun>, RegExp]>([
  ['says so itself', {}, { phase: 'alarm', details: 'POSTGRES_AUTH_FAILED: no' }, /AUTH_FAILED/],
  ['lost its slot', { slot: { exists: true, walStatus: 'lost' } }, {}, /lost/],
  ['is about to lose WAL', { slot: { exists: true, walStatus: 'unreserved' } }, {}, /about to/],
  ['has damaged files', { problems: [{}] }, {}, /damaged/],
  ['has stored nothing for longer than a worker takes to be replaced', { lagSeconds: 46 }, {}, /46 s/],
  ['with a long interval is late after six of them', { flushSeconds: 60, lagSeconds: 361 }, {}, /361 s/],
  ['stands on nothing', { gaps: [gap] }, {}, /full backup/],
])('one that %s is an alarm with the reason', (_title, symptoms, run, reason) => {
  expect(judgeJournal({ ...well, ...symptoms }, { ...running, ...run })).toEqual({
    state: 'alarm',
    reason: expect.stringMatching(reason),
  });
});

test('a lag within those limits, and a gap that is closed, are none', () => {
  expect(judgeJournal({ ...well, lagSeconds: 45 }, running).state).toBe('following');
  expect(judgeJournal({ ...well, flushSeconds: 60, lagSeconds: 360 }, running).state).toBe('following');
  expect(judgeJournal({ ...well, gaps: [{ ...gap, to: gap.from }] }, running).state).toBe('following');
});

test('one that nobody runs is stopped, or disabled where that is wanted', () => {
  expect(judgeJournal(well, null).state).toBe('stopped');
  expect(judgeJournal({ ...well, enabled: false, slot: null }, null).state).toBe('disabled');
  expect(judgeJournal({ ...well, enabled: false, slot: { exists: false, walStatus: null } }, null).state).toBe(
    'disabled',
  );
});

test('one that is switched off while a run keeps it still is an alarm that says how it ends', () => {
  expect(judgeJournal({ ...well, enabled: false }, running)).toEqual({
    state: 'alarm',
    reason: expect.stringMatching(/enabled is false.*control/),
  });
});

test('a slot that is left behind is an alarm: the server keeps WAL for nobody', () => {
  expect(judgeJournal({ ...well, enabled: false }, null)).toEqual({
    state: 'alarm',
    reason: expect.stringContaining('pg_drop_replication_slot'),
  });
});

test('one that is not to be kept is disabled with the reason, whatever is left of an earlier one', () => {
  const notKept = 'redis.method is dump';
  for (const run of [null, running, { ...running, phase: 'alarm' }]) {
    expect(judgeJournal({ ...well, slot: null, gaps: [gap], lagSeconds: 9_000, notKept }, run)).toEqual({
      state: 'disabled',
      reason: notKept,
    });
  }
  expect(judgeJournal({ ...well, enabled: false, slot: null, notKept }, null).reason).toBe('journal.enabled is false');
});
