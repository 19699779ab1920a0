import fc from 'fast-check';
import type { BackupRecord, BaseBackupFacts } from '../../../src/domain/backup.ts';
import type { JournalEntry, JournalEpoch, JournalKind } from '../../../src/domain/journal.ts';
import { formatLsn } from '../../../src/domain/lsn.ts';
import { unneededEpochs } from '../../../src/domain/retention/unneeded-epochs.ts';
import { planStreamReplay } from '../../../src/domain/stream-replay.ts';
import { planWalReplay } from '../../../src/domain/wal-replay.ts';
import { runs } from '../../support/property-runs.ts';

const SEGMENT = 1 << 20;
const SYSTEMS = ['7300000000000000001', '7300000000000000002'];
const REPLIDS = ['a'.repeat(40), 'b'.repeat(40)];

interface Made {
  readonly history: number;
  /** Goes on from the epoch before it; else it begins anew, `back` units before the end of that one. */
  readonly joined: boolean;
  readonly back: number;
  readonly units: number;
}

const made = fc.array(
  fc.record({ history: fc.nat(1), joined: fc.boolean(), back: fc.nat(4), units: fc.integer({ min: 0, max: 4 }) }),
  { minLength: 1, maxLength: 12, size: 'max' },
);

/** Epochs as writers leave them: one goes on from another, after a promotion under another replid, or begins anew. */
function epochsOf(kind: JournalKind, list: readonly Made[]): JournalEpoch[] {
  const unit = kind === 'postgres' ? SEGMENT : 100;
  const at = (position: number): string => (kind === 'postgres' ? formatLsn(BigInt(position)) : String(position));
  let end = 8 * unit;
  let last: JournalEpoch | undefined;
  return list.map(({ history, joined, back, units }, index) => {
    // WAL of another cluster goes on from nothing.
    const system = kind === 'postgres' && joined && last !== undefined ? last.begin.history : undefined;
    const name = system ?? (kind === 'postgres' ? SYSTEMS : REPLIDS)[history]!;
    const from = joined ? end : Math.max(unit, end - back * unit);
    end = from + units * unit;
    const timeline = kind === 'postgres' ? 1 : 0;
    const entries = Array.from({ length: units }, (_, n) => ({
      key: `journals/${kind}/${index}/${n}`,
      kind: kind === 'postgres' ? 'segment' : 'chunk',
      timeline,
      from: at(from + n * unit),
      to: at(from + (n + 1) * unit),
      fromMs: index * 1_000,
      toMs: index * 1_000 + 900,
    })) as unknown as JournalEntry[];
    const begin = {
      kind,
      history: name,
      epoch: index + 1,
      from: { timeline, at: at(from), timeMs: index * 1_000 },
      continues: joined && last ? { history: last.begin.history, epoch: last.begin.epoch } : null,
      gap: null,
      attributes: {},
    };
    const durable = { timeline, at: at(end), timeMs: index * 1_000 + 950 };
    last = { begin, entries, durable, stream: null, closed: null } as unknown as JournalEpoch;
    return last;
  });
}

const backupOf = (components: unknown): Pick<BackupRecord, 'components'> =>
  ({ components }) as Pick<BackupRecord, 'components'>;
const without = (epochs: readonly JournalEpoch[], gone: readonly JournalEpoch[]): JournalEpoch[] =>
  epochs.filter((epoch) => !gone.includes(epoch));

describe('epochs that no backup needs', () => {
  test('leave every kept snapshot of Redis the stream that it had', () => {
    let gone = 0;
    const snapshots = fc.array(fc.record({ history: fc.nat(1), offset: fc.integer({ min: 100, max: 3_000 }) }), {
      minLength: 1,
      maxLength: 3,
    });
    fc.assert(
      fc.property(made, snapshots, (list, kept) => {
        const epochs = epochsOf('redis', list);
        const snaps = kept.map(({ history, offset }) => ({ replid: REPLIDS[history]!, offset }));
        const unneeded = unneededEpochs(
          'redis',
          epochs,
          snaps.map((redis) => backupOf({ redis })),
        );
        gone += unneeded.length;
        const left = without(epochs, unneeded);
        for (const snapshot of snaps) {
          // Behind the end of an epoch a snapshot learns a time from it, and nothing else.
          const replay = (from: readonly JournalEpoch[]): unknown => {
            const { parts, offset, next, timeMs } = planStreamReplay(from, { ...snapshot, timeMs: 0 });
            return { parts, offset, next, timeMs: parts.length === 0 ? 0 : timeMs };
          };
          expect(replay(left)).toEqual(replay(epochs));
        }
        expect(left.slice(-2)).toEqual(epochs.slice(-2));
      }),
      { numRuns: runs(1_000), seed: 3 },
    );
    expect(gone).toBeGreaterThan(200);
  });

  test('leave every kept base of PostgreSQL the WAL that it had', () => {
    let gone = 0;
    const bases = fc.array(
      fc.record({ history: fc.nat(1), start: fc.integer({ min: 1, max: 30 }), inside: fc.nat(SEGMENT - 1) }),
      {
        minLength: 1,
        maxLength: 3,
      },
    );
    fc.assert(
      fc.property(made, bases, (list, kept) => {
        const epochs = epochsOf('postgres', list);
        const facts = kept.map(({ history, start, inside }) => ({
          systemIdentifier: SYSTEMS[history]!,
          timeline: 1,
          startLsn: formatLsn(BigInt(start * SEGMENT + inside)),
          endLsn: formatLsn(BigInt(start * SEGMENT + inside)),
          endAt: new Date(0).toISOString(),
          walSegmentBytes: SEGMENT,
        })) as unknown as BaseBackupFacts[];
        const unneeded = unneededEpochs(
          'postgres',
          epochs,
          facts.map((base) => backupOf({ postgres: { base } })),
        );
        gone += unneeded.length;
        const left = without(epochs, unneeded);
        for (const base of facts) {
          // Of a base that nothing can be replayed on the words may differ.
          const replay = (from: readonly JournalEpoch[]): unknown => {
            const plan = planWalReplay(from, { base, target: 'end', histories: new Map() });
            return plan.reach === null ? null : plan;
          };
          expect(replay(left)).toEqual(replay(epochs));
        }
      }),
      { numRuns: runs(1_000), seed: 3 },
    );
    expect(gone).toBeGreaterThan(200);
  });

  test('are none while nothing is kept that could be replayed', () => {
    const epochs = epochsOf(
      'redis',
      Array.from({ length: 6 }, () => ({ history: 0, joined: true, back: 0, units: 1 })),
    );
    expect(unneededEpochs('redis', epochs, [backupOf({ postgres: {} })])).toEqual([]);
    expect(unneededEpochs('redis', epochs, [backupOf({ redis: { replid: REPLIDS[1], offset: 5 } })]).length).toBe(4);
  });
});
