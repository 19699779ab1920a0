import { open } from 'node:fs/promises';
import { basename } from 'node:path';
import { LifeboatError } from '../../../domain/errors.ts';
import { formatLsn, parseSegmentName } from '../../../domain/lsn.ts';
import { parseTimelineHistory } from '../../../domain/timeline.ts';
import { LONG_HEADER_BYTES, readLongHeader } from './page-header.ts';

/** What archive_command was given, by its name and its content. */
export type ArchiveFile =
  | {
      readonly kind: 'segment';
      readonly name: string;
      readonly timeline: number;
      /** First byte. */
      readonly lsn: string;
      readonly systemIdentifier: string;
      readonly segmentBytes: number;
      /** False for the `.partial` that a promotion leaves of the old timeline's last segment. */
      readonly complete: boolean;
    }
  | { readonly kind: 'history'; readonly name: string; readonly timeline: number; readonly content: Buffer }
  /** A label of a base backup; it tells when one was taken and nothing else needs it. */
  | { readonly kind: 'backup-label'; readonly name: string };

const SEGMENT = /^([0-9A-F]{24})(\.partial)?$/;
const HISTORY = /^([0-9A-F]{8})\.history$/;
const BACKUP_LABEL = /^[0-9A-F]{24}\.[0-9A-F]{8}\.backup$/;
/** A history has a line per promotion; what is bigger is something else. */
const MAX_HISTORY_BYTES = 1_048_576;

/**
 * Reads what a file of pg_wal is. The name alone is not believed: a segment's first page says the same or it is refused.
 * @throws LifeboatError JOURNAL_SEGMENT_INVALID
 */
export async function checkSegmentFile(path: string): Promise<ArchiveFile> {
  const name = basename(path);
  if (BACKUP_LABEL.test(name)) return { kind: 'backup-label', name };
  const file = await open(path, 'r');
  try {
    const { size } = await file.stat();
    const history = HISTORY.exec(name)?.[1];
    if (history !== undefined) {
      if (size > MAX_HISTORY_BYTES) throw invalid(path, `a history of ${size} bytes`);
      return checkHistory(path, Number.parseInt(history, 16), await file.readFile());
    }
    const head = Buffer.alloc(LONG_HEADER_BYTES);
    const { bytesRead } = await file.read(head, 0, head.length, 0);
    return checkSegment(path, { head: head.subarray(0, bytesRead), size });
  } finally {
    await file.close();
  }
}

function checkHistory(path: string, timeline: number, content: Buffer): ArchiveFile {
  const history = parseTimelineHistory(timeline, content.toString('utf8'));
  if (typeof history === 'string') throw invalid(path, history);
  return { kind: 'history', name: basename(path), timeline, content };
}

function checkSegment(path: string, { head, size }: { readonly head: Buffer; readonly size: number }): ArchiveFile {
  const name = basename(path);
  const [, stem, partial] = SEGMENT.exec(name) ?? [];
  if (stem === undefined) throw invalid(path, 'the name is neither of a segment nor of a history');
  const header = readLongHeader(head);
  if (header === undefined) throw invalid(path, 'it does not begin with the header of a wal segment');
  const { systemIdentifier, segmentBytes, address, timeline } = header;
  if (size !== segmentBytes) throw invalid(path, `${size} bytes, not ${segmentBytes}`);
  const named = parseSegmentName(stem, segmentBytes);
  // The first page of a promotion's first segment is copied from the timeline before.
  if (named === undefined || named.lsn !== address || timeline > named.timeline) {
    throw invalid(path, `its first page is of ${formatLsn(address)} on timeline ${timeline}`);
  }
  return {
    kind: 'segment',
    name,
    timeline: named.timeline,
    lsn: formatLsn(address),
    systemIdentifier,
    segmentBytes,
    complete: partial === undefined,
  };
}

function invalid(path: string, fact: string): LifeboatError {
  return new LifeboatError('JOURNAL_SEGMENT_INVALID', `look at ${path}: ${fact}`);
}
