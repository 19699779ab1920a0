import fc from 'fast-check';
import type { BackupRecord, BaseBackupFacts } from '../../src/domain/backup.ts';
import type { JournalEntry, JournalEpoch } from '../../src/domain/journal.ts';
import { formatLsn } from '../../src/domain/lsn.ts';
import { isWithin, recoveryWindow, type RecoveryWindow } from '../../src/domain/recovery-window.ts';
import { isRefused, resolveTarget } from '../../src/domain/resolve-target.ts';
import { planStreamReplay } from '../../src/domain/stream-replay.ts';
import { planWalReplay } from '../../src/domain/wal-replay.ts';
import { runs } from '../support/property-runs.ts';

const START_MS = Date.UTC(2026, 0, 15, 10, 0);
const SYSTEM = '7300000000000000001';
const REPLIDS = ['a', 'b', 'c'].map((letter) => letter.repeat(40));
const SEGMENT_BYTES = 1024 * 1024;
/** A server that writes this much in each of our milliseconds; so positions and times say the same. */
const WAL_PER_MS = SEGMENT_BYTES / 4;

const lsnAt = (ms: number): string => formatLsn(BigInt(ms * WAL_PER_MS));
const positionAt = (kind: 'postgres' | 'redis', ms: number): string =>
  kind === 'postgres' ? lsnAt(ms) : String(ms * 10);

interface Made {
  readonly epoch: number;
  readonly history?: string;
  readonly from: number;
  readonly to: number;
  readonly continues?: JournalEpoch | null;
  /** Entries that were lost, by their index. */
  readonly lost?: readonly number[];
  readonly stepMs?: number;
  /** Later than `to`: nothing came meanwhile. */
  readonly idleUntil?: number;
  readonly gap?: string;
}

/** What a server sent from one millisecond to another, a piece or a chunk each step. */
function entriesOf(
  kind: 'postgres' | 'redis',
  { epoch, from, to, stepMs }: { epoch: number; from: number; to: number; stepMs: number },
): JournalEntry[] {
  const timeline = kind === 'postgres' ? 1 : 0;
  const entries: JournalEntry[] = [];
  for (let ms = from; ms < to;) {
    // A piece never crosses the border of a segment.
    const border = kind === 'postgres' ? Math.floor(ms / 4) * 4 + 4 : to;
    const end = Math.min(ms + stepMs, to, border);
    const bytes = end - ms;
    entries.push({
      key: `${kind}/${epoch}/${ms}`,
      storedBytes: bytes,
      sha256: '',
      plainBytes: bytes,
      compression: 'none',
      kind: kind === 'postgres' ? 'piece' : 'chunk',
      timeline,
      from: positionAt(kind, ms),
      to: positionAt(kind, end),
      fromMs: START_MS + ms,
      toMs: START_MS + end,
      ...(kind === 'redis' ? { marks: Array.from({ length: bytes }, () => [10, 1] as const) } : {}),
    });
    ms = end;
  }
  return entries;
}

function epochOf(kind: 'postgres' | 'redis', made: Made): JournalEpoch {
  const { epoch, from, to, continues = null, lost = [], stepMs = 2, idleUntil = to } = made;
  const history = made.history ?? (kind === 'postgres' ? SYSTEM : (REPLIDS[0] ?? ''));
  const timeline = kind === 'postgres' ? 1 : 0;
  const entries = entriesOf(kind, { epoch, from, to, stepMs });
  const begins = { timeline, at: positionAt(kind, from), timeMs: START_MS + from };
  return {
    begin: {
      version: 1,
      repositoryId: 'r',
      group: 'default',
      kind,
      history,
      epoch,
      startedAt: new Date(START_MS + from).toISOString(),
      from: begins,
      continues: continues && { history: continues.begin.history, epoch: continues.begin.epoch },
      gap:
        made.gap === undefined
          ? null
          : { kind, from: null, to: { ...begins, history }, code: made.gap, message: `said ${made.gap}` },
      attributes: { walSegmentBytes: String(SEGMENT_BYTES) },
      codec: { compression: 'none', compressionLevel: 3, encryption: 'none' },
      keyCheckValue: null,
    },
    entries: entries.filter((_, index) => !lost.includes(index)),
    durable: { timeline, at: positionAt(kind, to), timeMs: START_MS + idleUntil },
    stream: null,
    closed: null,
  };
}

interface Backup {
  readonly id: string;
  readonly base?: number;
  readonly snapshot?: { readonly ms: number; readonly replid?: string };
  readonly status?: 'damaged';
}

function backupOf({ id, base, snapshot, status }: Backup): BackupRecord {
  const ms = Math.min(base ?? Number.POSITIVE_INFINITY, snapshot?.ms ?? Number.POSITIVE_INFINITY);
  const physical: BaseBackupFacts | undefined =
    base === undefined
      ? undefined
      : {
          systemIdentifier: SYSTEM,
          timeline: 1,
          startLsn: lsnAt(base),
          endLsn: lsnAt(base),
          startAt: new Date(START_MS + base).toISOString(),
          endAt: new Date(START_MS + base).toISOString(),
          walSegmentBytes: SEGMENT_BYTES,
          fromStandby: false,
          parentStartLsn: null,
          bytes: 1,
        };
  const record = {
    id,
    status: status ?? 'complete',
    recoveryPoint: { time: new Date(START_MS + ms).toISOString() },
    components: {
      ...(physical === undefined ? {} : { postgres: { base: physical } }),
      ...(snapshot === undefined
        ? {}
        : {
            redis: {
              method: 'replication',
              replid: snapshot.replid ?? REPLIDS[0],
              offset: snapshot.ms * 10,
              snapshotAt: new Date(START_MS + snapshot.ms).toISOString(),
            },
          }),
    },
  };
  // Only what the window looks at.
  return record as unknown as BackupRecord;
}

const NO_HISTORIES = new Map();

function windowOf(parts: {
  readonly backups: readonly Backup[];
  readonly wal?: readonly JournalEpoch[];
  readonly stream?: readonly JournalEpoch[];
  readonly components?: readonly ('postgres' | 'redis')[];
}): RecoveryWindow {
  const { wal = [], stream = [] } = parts;
  const components = parts.components ?? [
    ...(wal.length > 0 ? ['postgres' as const] : []),
    ...(stream.length > 0 ? ['redis' as const] : []),
  ];
  const backups = parts.backups.map(backupOf);
  return recoveryWindow({ backups, components, postgres: wal, redis: stream, histories: NO_HISTORIES });
}

const span = (fromMs: number, toMs: number): object => ({ fromMs: START_MS + fromMs, toMs: START_MS + toMs });

describe('a recovery window', () => {
  test('goes from the end of the base to the last durable moment, over epochs that continue each other', () => {
    const first = epochOf('postgres', { epoch: 1, from: 0, to: 20 });
    const second = epochOf('postgres', { epoch: 2, from: 20, to: 40, continues: first, idleUntil: 60 });
    const window = windowOf({ backups: [{ id: 'b', base: 8 }], wal: [first, second] });
    expect(window.spans).toEqual([span(8, 60)]);
    expect(window).toMatchObject({ gaps: [], points: [], fromMs: START_MS + 8, toMs: START_MS + 60 });
  });

  test('ends at a hole, begins again at the next base, and names what lies between', () => {
    const wal = epochOf('postgres', { epoch: 1, from: 0, to: 80, lost: [10] });
    const window = windowOf({
      backups: [
        { id: 'a', base: 4 },
        { id: 'b', base: 48 },
      ],
      wal: [wal],
    });
    expect(window.spans).toEqual([span(4, 20), span(48, 80)]);
    expect(window.gaps).toMatchObject([{ component: 'postgres', ...span(20, 48), code: 'JOURNAL_GAP' }]);
  });

  test('says in the words of the journal why there is a gap, also where no base closes it yet', () => {
    const first = epochOf('postgres', { epoch: 1, from: 0, to: 20 });
    const anew = epochOf('postgres', { epoch: 2, from: 40, to: 60, gap: 'JOURNAL_SLOT_LOST' });
    const open = windowOf({ backups: [{ id: 'a', base: 4 }], wal: [first, anew] });
    expect(open.gaps).toMatchObject([
      { fromMs: START_MS + 20, toMs: null, code: 'JOURNAL_SLOT_LOST', message: 'said JOURNAL_SLOT_LOST' },
    ]);
    const closed = windowOf({
      backups: [
        { id: 'a', base: 4 },
        { id: 'b', base: 48 },
      ],
      wal: [first, anew],
    });
    expect(closed.gaps).toMatchObject([{ ...span(20, 48), code: 'JOURNAL_SLOT_LOST' }]);
    expect(closed.spans).toEqual([span(4, 20), span(48, 60)]);
  });

  test('is what all components have; a backup outside it is a point, a damaged one is nothing', () => {
    const wal = epochOf('postgres', { epoch: 1, from: 0, to: 100 });
    const stream = epochOf('redis', { epoch: 1, from: 30, to: 70 });
    const backups = [
      { id: 'early', base: 8 },
      { id: 'snapshot', snapshot: { ms: 32 } },
      { id: 'bad', base: 0, snapshot: { ms: 0 }, status: 'damaged' as const },
    ];
    const window = windowOf({ backups, wal: [wal], stream: [stream] });
    expect(window.spans).toEqual([span(32, 70)]);
    expect(window.points).toEqual([{ backupId: 'early', timeMs: START_MS + 8 }]);
    expect(resolveTarget(window, { atMs: START_MS + 50 })).toEqual({
      postgres: { baseId: 'early', target: { atMs: START_MS + 50 } },
      redis: { snapshotId: 'snapshot', target: { atMs: START_MS + 50 } },
    });
  });

  test('is empty without a journal, and a base alone is one instant', () => {
    expect(windowOf({ backups: [], components: ['postgres', 'redis'] })).toMatchObject({ spans: [], fromMs: null });
    const window = windowOf({ backups: [{ id: 'a', base: 4 }], components: ['postgres'] });
    expect(window.spans).toEqual([span(4, 4)]);
    expect(isRefused(resolveTarget(window, { atMs: START_MS + 5 }))).toBe(true);
    expect(isRefused(resolveTarget(windowOf({ backups: [], components: [] }), { atMs: START_MS }))).toBe(true);
  });

  test('follows a promoted replica to its replid, and not what the old primary still sent', () => {
    const old = epochOf('redis', { epoch: 1, from: 0, to: 40 });
    const promoted = epochOf('redis', { epoch: 2, history: REPLIDS[1] ?? '', from: 30, to: 80, continues: old });
    const { parts, offset, next } = planStreamReplay([old, promoted], {
      replid: REPLIDS[0] ?? '',
      offset: 105,
      timeMs: START_MS + 10,
    });
    expect([offset, next]).toEqual([800, null]);
    const [first] = parts;
    expect(first).toMatchObject({ skipBytes: 5, bytes: 15, from: 105, fromMs: START_MS + 10 });
    expect(first?.marks).toEqual([
      [5, 1],
      [10, 1],
    ]);
    expect(parts.filter(({ epoch }) => epoch === old).every(({ from, bytes }) => from + bytes <= 300)).toBe(true);
    let at = 105;
    for (const part of parts) {
      expect(part.from).toBe(at);
      at += part.bytes;
    }
    expect(at).toBe(800);
  });

  test('by LSN the base that is before it is taken, and one beyond what was received is refused with what there is', () => {
    const wal = epochOf('postgres', { epoch: 1, from: 0, to: 80 });
    const window = windowOf({
      backups: [
        { id: 'a', base: 4 },
        { id: 'b', base: 48 },
      ],
      wal: [wal],
    });
    expect(resolveTarget(window, { lsn: lsnAt(30), atMs: START_MS + 30 })).toEqual({
      postgres: { baseId: 'a', target: { position: lsnAt(30) } },
      redis: null,
    });
    expect(resolveTarget(window, { lsn: lsnAt(81), atMs: START_MS + 81 })).toMatchObject({
      code: 'JOURNAL_TARGET_OUTSIDE',
      message: expect.stringContaining(`${lsnAt(4)} to ${lsnAt(80)}`),
      nearestBeforeMs: START_MS + 80,
      nearestAfterMs: null,
    });
  });
});

/** Epochs one after the other, some with holes, some that begin anew; and backups anywhere. */
const STORY = fc.record({
  epochs: fc.array(
    fc.record({
      lengthMs: fc.integer({ min: 0, max: 40 }),
      pauseMs: fc.constantFrom(0, 0, 0, 7),
      overlapMs: fc.constantFrom(0, 0, 3),
      lost: fc.array(fc.integer({ min: 0, max: 25 }), { maxLength: 2 }),
      stepMs: fc.integer({ min: 1, max: 4 }),
    }),
    { minLength: 1, maxLength: 5 },
  ),
  backups: fc.array(fc.record({ base: fc.integer({ min: 0, max: 120 }), snapshot: fc.integer({ min: 0, max: 120 }) }), {
    maxLength: 4,
  }),
  probes: fc.array(fc.integer({ min: 0, max: 200 }), { minLength: 20, maxLength: 20 }),
});
type Story = typeof STORY extends fc.Arbitrary<infer T> ? T : never;

function tell(kind: 'postgres' | 'redis', { epochs }: Story): JournalEpoch[] {
  const told: JournalEpoch[] = [];
  let now = 0;
  for (const [index, { lengthMs, pauseMs, overlapMs, lost, stepMs }] of epochs.entries()) {
    const before = told.at(-1) ?? null;
    const from = pauseMs > 0 ? now + pauseMs : Math.max(0, now - overlapMs);
    // A writer that was fenced had written a little further than the next one knew.
    const to = from + lengthMs;
    const continues = pauseMs > 0 ? null : before;
    told.push(epochOf(kind, { epoch: index + 1, from, to, continues, lost, stepMs }));
    now = Math.max(now, to);
  }
  return told;
}

/** Written down another way: the milliseconds of which the server's bytes are in some entry. */
function heldMs(epochs: readonly JournalEpoch[]): Set<number> {
  const held = new Set<number>();
  for (const { fromMs, toMs } of epochs.flatMap(({ entries }) => entries)) {
    for (let ms = fromMs; ms < toMs; ms += 1) held.add(ms);
  }
  return held;
}

describe('of any journals with any holes', () => {
  test('no instant of the window has a hole between its base and itself, and the restore finds its way to each', () => {
    fc.assert(
      fc.property(STORY, (story) => {
        const wal = tell('postgres', story);
        const stream = tell('redis', story);
        const backups = story.backups.map(({ base, snapshot }, index) => ({
          id: `b${index}`,
          base,
          snapshot: { ms: snapshot },
        }));
        const window = windowOf({ backups, wal, stream });
        const [heldWal, heldStream] = [heldMs(wal), heldMs(stream)];
        for (const atMs of story.probes.map((ms) => START_MS + ms)) {
          const plan = resolveTarget(window, { atMs });
          expect(isRefused(plan)).toBe(!isWithin(window.spans, atMs));
          if (isRefused(plan)) continue;
          const made = (id: string | undefined): { base: number; snapshot: number } =>
            story.backups[Number(id?.slice(1))] ?? { base: Number.NaN, snapshot: Number.NaN };
          const { base } = made(plan.postgres?.baseId);
          const { snapshot } = made(plan.redis?.snapshotId);
          expect(START_MS + base <= atMs && START_MS + snapshot <= atMs).toBe(true);
          for (let ms = START_MS + base; ms < atMs; ms += 1) expect(heldWal.has(ms)).toBe(true);
          for (let ms = START_MS + snapshot; ms < atMs; ms += 1) expect(heldStream.has(ms)).toBe(true);
          const record = backupOf({ id: 'x', base });
          const facts = record.components.postgres?.base;
          if (facts === undefined) throw new Error('no base');
          if (atMs > START_MS + base) {
            const replay = planWalReplay(wal, { base: facts, target: { timeMs: atMs }, histories: NO_HISTORIES });
            expect(replay.found).toBe(true);
          }
        }
      }),
      { numRuns: runs(300), seed: 20_260_115 },
    );
  });

  test('the nearest instants that a refusal names can be had, and nothing between them and the target can', () => {
    fc.assert(
      fc.property(STORY, (story) => {
        const wal = tell('postgres', story);
        const backups = story.backups.map(({ base }, index) => ({ id: `b${index}`, base }));
        const window = windowOf({ backups, wal, components: ['postgres'] });
        for (const atMs of story.probes.map((ms) => START_MS + ms)) {
          const refusal = resolveTarget(window, { atMs });
          if (!isRefused(refusal)) continue;
          const { nearestBeforeMs, nearestAfterMs } = refusal;
          for (const ms of [nearestBeforeMs, nearestAfterMs]) {
            if (ms !== null) expect(isRefused(resolveTarget(window, { atMs: ms }))).toBe(false);
          }
          const from = nearestBeforeMs ?? START_MS;
          const to = nearestAfterMs ?? START_MS + 250;
          const between = Array.from({ length: Math.max(0, to - from - 1) }, (_, index) => from + 1 + index);
          expect(between.filter((ms) => !isRefused(resolveTarget(window, { atMs: ms })))).toEqual([]);
        }
      }),
      { numRuns: runs(200), seed: 20_260_115 },
    );
  });

  test('gaps lie between spans, and every hole between two spans is named', () => {
    fc.assert(
      fc.property(STORY, (story) => {
        const wal = tell('postgres', story);
        const backups = story.backups.map(({ base }, index) => ({ id: `b${index}`, base }));
        const { spans, gaps } = windowOf({ backups, wal, components: ['postgres'] });
        for (const [index, { fromMs }] of spans.entries()) {
          const before = spans[index - 1];
          if (before === undefined) continue;
          expect(gaps.filter((gap) => gap.fromMs === before.toMs && gap.toMs === fromMs)).toHaveLength(1);
        }
        expect(gaps.filter(({ toMs }) => toMs !== null)).toHaveLength(Math.max(0, spans.length - 1));
      }),
      { numRuns: runs(200), seed: 20_260_115 },
    );
  });
});
