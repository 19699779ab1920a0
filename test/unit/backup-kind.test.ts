import { decideKind } from '../../src/domain/backup-kind.ts';

test('an incremental backup without a journal becomes a full one and says so', () => {
  expect(decideKind('incremental', { runs: false })).toEqual({
    kind: 'full',
    warning: expect.stringContaining('full backup was taken'),
  });
});

test.each([
  ['full', true],
  ['full', false],
  ['incremental', true],
] as const)('%s with a journal that runs: %s is taken as asked', (kind, runs) => {
  expect(decideKind(kind, { runs })).toEqual({ kind, warning: null });
});
