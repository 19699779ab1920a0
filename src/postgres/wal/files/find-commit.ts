import { symlink } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { LifeboatError } from '../../../domain/errors.ts';
import { formatLsn, lsnOf, segmentName, type Lsn } from '../../../domain/lsn.ts';
import type { Operation } from '../../../domain/operation.ts';
import { readGated, spawnChild } from '../../../platform/child-process.ts';
import { textLines } from '../../../platform/text-lines.ts';
import { withPrivateFolder } from '../../../platform/files.ts';
import { libraryPath } from '../../tools/tool-environment.ts';

export interface FindCommit {
  /** pg_waldump of the server's major version. */
  readonly pgWaldump: string;
  readonly segmentBytes: number;
  /** Whole files in the order of replay, without a hole, of whatever timelines. */
  readonly segments: readonly { readonly path: string; readonly from: string }[];
  /** Where to begin: the base's end. */
  readonly from: string;
  /** All before it is in the files: `WalReplay.reach`. What comes behind is padding. */
  readonly to: string;
  /** Milliseconds since 1970, clock of the server. */
  readonly atMs: number;
}

/** The last transaction that is in. `lsn` is where its record begins, for an inclusive recovery_target_lsn. */
export interface FoundCommit {
  readonly lsn: string;
  readonly timeMs: number;
}

interface TransactionEnd {
  readonly lsn: string;
  readonly timeMs: number;
  /** Microseconds; the server compares with all its digits. */
  readonly timeUs: bigint;
  readonly committed: boolean;
}

/** `rmgr: Transaction … lsn: 0/01E3A5C8, prev 0/01E3A590, desc: COMMIT 2026-11-23 10:31:00.123456 UTC; …` */
const LINE =
  /lsn: ([0-9A-F]+\/[0-9A-F]+), .*desc: (COMMIT|COMMIT_PREPARED|ABORT|ABORT_PREPARED) (?:\d+: )?(\S+) (\S+) UTC/;
/** The name of the timeline under which all segments are read: page headers say the real ones. */
const ANY_TIMELINE = 1;
/** Whole segments are only left out where their transactions ended this long before the target: clocks are set back. */
const CLOCK_MARGIN_MS = 600_000;

/**
 * The last commit at or before a time, as the server's own recovery_target_time chooses it: it stops at the first transaction end
 * that is later, even if an earlier one follows. Null where no transaction was committed from `from` to there.
 * @throws LifeboatError JOURNAL_WAL_UNREADABLE where the WAL cannot be read up to `to`
 */
export async function findCommit(request: FindCommit, operation: Operation): Promise<FoundCommit | null> {
  return withPrivateFolder('lifeboat-wal', async (folder) => {
    for (const { path, from } of request.segments) {
      const name = segmentName(ANY_TIMELINE, lsnOf(from), request.segmentBytes);
      await symlink(resolve(path), join(folder, name));
    }
    const scan = { ...request, folder };
    const late = await lateStart(scan, operation);
    return (
      (late === undefined ? null : await scanFrom(scan, late, operation)) ??
      scanFrom(scan, lsnOf(request.from), operation)
    );
  });
}

type Scan = FindCommit & { readonly folder: string };

async function scanFrom(scan: Scan, from: Lsn, operation: Operation): Promise<FoundCommit | null> {
  const atUs = BigInt(Math.floor(scan.atMs)) * 1_000n;
  let last: FoundCommit | null = null;
  for await (const end of transactionEnds(scan, { from, to: lsnOf(scan.to) }, operation)) {
    if (end.timeUs > atUs) break;
    if (end.committed) last = { lsn: end.lsn, timeMs: end.timeMs };
    operation.onProgress({ phase: 'finding the last commit', object: end.lsn, bytes: Number(lsnOf(end.lsn) - from) });
  }
  return last;
}

/** Start of the last segment whose first transaction ended well before the target, by bisection; undefined to begin at the beginning. */
async function lateStart(scan: Scan, operation: Operation): Promise<Lsn | undefined> {
  const starts = scan.segments.map(({ from }) => lsnOf(from)).filter((start) => start > lsnOf(scan.from));
  let [low, high] = [-1, starts.length];
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    const from = starts[middle] ?? 0n;
    const to = minimum(from + BigInt(scan.segmentBytes), lsnOf(scan.to));
    let first: TransactionEnd | undefined;
    for await (const end of transactionEnds(scan, { from, to }, operation)) {
      first = end;
      break;
    }
    if (first !== undefined && first.timeMs < scan.atMs - CLOCK_MARGIN_MS) low = middle;
    else high = middle;
  }
  return starts[low];
}

async function* transactionEnds(
  scan: Scan,
  range: { readonly from: Lsn; readonly to: Lsn },
  operation: Operation,
): AsyncGenerator<TransactionEnd, void, undefined> {
  if (range.from >= range.to) return;
  const places = [`--path=${scan.folder}`, `--timeline=${ANY_TIMELINE}`];
  const child = spawnChild({
    name: 'pg_waldump',
    command: scan.pgWaldump,
    // With an end it does not run into the padding: whatever makes it stop before is damage.
    args: [...places, '--rmgr=Transaction', `--start=${formatLsn(range.from)}`, `--end=${formatLsn(range.to)}`],
    env: { ...libraryPath(scan.pgWaldump), TZ: 'UTC', LC_ALL: 'C' },
    signal: operation.signal,
  });
  const output = readGated(child, ({ code, stderrTail }) => {
    const between = `${formatLsn(range.from)} to ${formatLsn(range.to)}`;
    return new LifeboatError('JOURNAL_WAL_UNREADABLE', `read wal ${between}: pg_waldump: exit ${code}: ${stderrTail}`);
  });
  yield* parseLines(output);
}

async function* parseLines(output: AsyncIterable<Uint8Array>): AsyncGenerator<TransactionEnd, void, undefined> {
  for await (const line of textLines(output)) {
    const end = parseLine(line);
    if (end !== undefined) yield end;
  }
}

function parseLine(line: string): TransactionEnd | undefined {
  const [, lsn, kind, day, time = ''] = LINE.exec(line) ?? [];
  if (lsn === undefined || kind === undefined) return undefined;
  const [seconds = '', fraction = ''] = time.split('.');
  const wholeMs = Date.parse(`${day}T${seconds}Z`);
  const timeUs = BigInt(wholeMs) * 1_000n + BigInt(fraction.padEnd(6, '0'));
  return { lsn, timeUs, timeMs: Number(timeUs / 1_000n), committed: kind.startsWith('COMMIT') };
}

function minimum(a: Lsn, b: Lsn): Lsn {
  return a < b ? a : b;
}
