import { readFile, stat } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { LifeboatError } from '../domain/errors.ts';
import { formatLsn, lsnOf, segmentStart } from '../domain/lsn.ts';
import { parseTimelineHistory } from '../domain/timeline.ts';
import { checkSegmentFile } from '../postgres/wal/files/check-segment-file.ts';
import type { ArchivedFile } from '../repository/journals/journals.ts';
import type { Codec, Repository } from '../repository/repository.ts';
import { systemIdentifierBeside } from './wal-file-owner.ts';

/** `left-out`: nothing of it is needed for a recovery. */
export type PushedWal = 'kept' | 'kept-before' | 'left-out';

/** Where a history file does not tell; only its switch point is rounded by it. */
const USUAL_SEGMENT_BYTES = 16 * 1024 * 1024;

/**
 * Takes a file of pg_wal from archive_command. When it resolves, the file is durable.
 * @throws LifeboatError JOURNAL_SEGMENT_INVALID, JOURNAL_SEGMENT_EXISTS, and what a store and keys throw
 */
export async function pushWal(
  repository: Pick<Repository, 'journals'>,
  path: string,
  how: { readonly codec: Codec; readonly signal: AbortSignal },
): Promise<PushedWal> {
  const file = await describeFile(path);
  if (file === undefined) return 'left-out';
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await repository.journals.archive(file, how);
    } catch (error) {
      const lostRace = error instanceof LifeboatError && error.code === 'JOURNAL_FENCED';
      if (!lostRace || attempt === RACES_MAX) throw error;
      await delay(RACE_PAUSE_MS * attempt, undefined, { signal: how.signal });
    }
  }
}

/** Of several pushes at once each may be beaten to the next epoch by the others; then there is one to add to. */
const RACES_MAX = 8;
const RACE_PAUSE_MS = 50;

/**
 * Undefined for what needs not be kept: the label of a base backup, which has its own, and the `.partial` that a promotion leaves,
 * whose bytes are the beginning of the new timeline's segment as well.
 */
async function describeFile(path: string): Promise<ArchivedFile | undefined> {
  const found = await checkSegmentFile(path);
  if (found.kind === 'backup-label') return undefined;
  // All that the server had done by then is in this file or in one before it.
  const timeMs = Math.min((await stat(path)).mtimeMs, Date.now());
  const { timeline } = found;
  const times = { timeline, fromMs: Math.floor(timeMs), toMs: Math.floor(timeMs) };
  if (found.kind === 'history') {
    const at = formatLsn(segmentStart(switchOf(timeline, found.content), USUAL_SEGMENT_BYTES));
    const history = await ownerOf(path);
    const facts = { kind: 'history', from: '', to: '', ...times } as const;
    return { history, segmentBytes: USUAL_SEGMENT_BYTES, facts, at, bytes: found.content };
  }
  if (!found.complete) return undefined;
  const { lsn, segmentBytes, systemIdentifier } = found;
  const to = formatLsn(lsnOf(lsn) + BigInt(segmentBytes));
  const facts = { kind: 'segment', from: lsn, to, ...times } as const;
  return { history: systemIdentifier, segmentBytes, facts, at: lsn, bytes: await readFile(path) };
}

function switchOf(timeline: number, content: Buffer): bigint {
  const history = parseTimelineHistory(timeline, content.toString('utf8'));
  return typeof history === 'string' ? 0n : (history.ancestors.at(-1)?.end ?? 0n);
}

/** A history file does not say whose it is; the data directory that it lies in does. */
async function ownerOf(path: string): Promise<string> {
  const owner = await systemIdentifierBeside(path);
  if (owner !== undefined) return owner;
  throw new LifeboatError('JOURNAL_SEGMENT_INVALID', `look at ${path}: it lies in no data directory`, {
    hint: 'give archive_command %p as it is: the file is read where the server has it',
  });
}
