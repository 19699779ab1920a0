import { LifeboatError } from '../../domain/errors.ts';
import type { JournalBegin, JournalEntry, JournalKind, JournalPosition } from '../../domain/journal.ts';
import { formatLsn, lsnOf, parseSegmentName, segmentName } from '../../domain/lsn.ts';
import { historyFileName } from '../../domain/timeline.ts';
import { JOURNALS_PREFIX, KEYS_PREFIX } from '../layout.ts';

const EPOCH_MAX = 99_999_999;

/** One epoch: what a writer of its own wrote. */
export interface EpochPlace {
  readonly kind: JournalKind;
  readonly history: string;
  readonly epoch: number;
}

const HISTORY: Record<JournalKind, RegExp> = { postgres: /^\d{1,20}$/, redis: /^[0-9a-f]{40}$/ };
const EPOCH = /^\d{8}$/;

/** `journals/postgres/`: what lies below are histories, and the numbers that are taken. */
export const kindPrefix = (kind: JournalKind): string => `${JOURNALS_PREFIX}${kind}/`;
/** `journals/postgres/7300000000000000001/`: what lies below are epochs. */
export const historyPrefix = (kind: JournalKind, history: string): string => `${kindPrefix(kind)}${history}/`;
/** `journals/postgres/epochs/`: numbers are taken here, over all histories, so that no two writers ever have the same. */
export const claimsPrefix = (kind: JournalKind): string => `${kindPrefix(kind)}epochs/`;
export const claimKey = (kind: JournalKind, epoch: number): string => `${claimsPrefix(kind)}${epochFolder(epoch)}.json`;

/** `journals/postgres/7300000000000000001/00000001`; also what stands for a backup id in the encryption context. */
export function epochName({ kind, history, epoch }: EpochPlace): string {
  if (!isHistory(kind, history)) {
    throw new LifeboatError('JOURNAL_DAMAGED', `journal ${kind}/${JSON.stringify(history)}: not a history`);
  }
  return `${historyPrefix(kind, history)}${epochFolder(epoch)}`;
}

/** The way back from `epochName`; undefined for any other name. */
export function epochPlaceOf(name: string): EpochPlace | undefined {
  const [, kind, history = '', folder = ''] = /^journals\/(postgres|redis)\/([^/]+)\/([^/]+)$/.exec(name) ?? [];
  const epoch = epochOf(folder);
  if ((kind !== 'postgres' && kind !== 'redis') || epoch === undefined || !isHistory(kind, history)) return undefined;
  return { kind, history, epoch };
}

export const epochPrefix = (place: EpochPlace): string => `${epochName(place)}/`;
export const journalBeginKey = (place: EpochPlace): string => `${epochPrefix(place)}begin.json`;
export const openChapterKey = (place: EpochPlace): string => `${epochPrefix(place)}open.json`;
export const chapterKey = (place: EpochPlace, sequence: number): string =>
  `${epochPrefix(place)}chapter-${String(sequence).padStart(6, '0')}.json`;
export const journalKeyKey = (place: EpochPlace): string => `${KEYS_PREFIX}${epochName(place)}.json`;

export function isHistory(kind: JournalKind, name: string): boolean {
  return HISTORY[kind].test(name);
}

export function epochOf(folder: string): number | undefined {
  return EPOCH.test(folder) ? Number(folder) : undefined;
}

function epochFolder(epoch: number): string {
  if (Number.isSafeInteger(epoch) && epoch >= 1 && epoch <= EPOCH_MAX) return String(epoch).padStart(8, '0');
  throw new LifeboatError('JOURNAL_DAMAGED', `journal epoch ${epoch}: not 1 to ${EPOCH_MAX}`);
}

/** Ending of the objects of an epoch, as `extensionOf` gives it to their writer. */
export function endingOf({ compression, encryption }: JournalBegin['codec']): string {
  const layers = [compression === 'zstd' ? 'zst' : '', encryption === 'none' ? '' : 'esdk'];
  return layers.filter((layer) => layer !== '').join('.') || 'raw';
}

/** Name of an entry's object, without its ending: says what it is to a person, and is unique in an epoch. */
export function entryKey(
  place: EpochPlace,
  entry: Pick<JournalEntry, 'kind' | 'timeline' | 'from' | 'to'>,
  names: { readonly segmentBytes: number; readonly extension: string },
): string {
  return `${epochPrefix(place)}${entryName(entry, names.segmentBytes)}.${names.extension}`;
}

function entryName(
  { kind, timeline, from, to }: Pick<JournalEntry, 'kind' | 'timeline' | 'from' | 'to'>,
  segmentBytes: number,
): string {
  if (kind === 'chunk') return `${from.padStart(20, '0')}-${to.padStart(20, '0')}`;
  if (kind === 'history') return historyFileName(timeline);
  const segment = segmentName(timeline, lsnOf(from), segmentBytes);
  return kind === 'segment' ? segment : `${segment}.partial-${hex16(from)}-${hex16(to)}`;
}

const NAMES = {
  segment: /^([0-9A-F]{24})$/,
  piece: /^([0-9A-F]{8})[0-9A-F]{16}\.partial-[0-9A-F]{16}-([0-9A-F]{16})$/,
  history: /^([0-9A-F]{8})\.history$/,
  chunk: /^\d{20}-(\d{20})$/,
} as const;

/** Up to where an object reaches, told by its name: LSN or offset, null for a history file. Undefined for any other name. */
export function reachOfKey(
  key: string,
  segmentBytes: number,
): { readonly timeline: number; readonly at: string | null } | undefined {
  const name = key.slice(key.lastIndexOf('/') + 1).replace(/\.(?:zst|esdk|zst\.esdk|raw)$/, '');
  const segment = NAMES.segment.exec(name) && parseSegmentName(name, segmentBytes);
  if (segment) return { timeline: segment.timeline, at: formatLsn(segment.lsn + BigInt(segmentBytes)) };
  const piece = NAMES.piece.exec(name);
  if (piece !== null) return { timeline: hex(piece[1]), at: formatLsn(BigInt(`0x${piece[2]}`)) };
  const history = NAMES.history.exec(name);
  if (history !== null) return { timeline: hex(history[1]), at: null };
  const chunk = NAMES.chunk.exec(name);
  return chunk === null ? undefined : { timeline: 0, at: String(BigInt(chunk[1] ?? '')) };
}

/** A position as a number of bytes, so that those of one history can be compared. */
export function placeOf(kind: JournalKind, at: JournalPosition['at']): bigint {
  return kind === 'postgres' ? lsnOf(at) : BigInt(at);
}

const hex = (text = ''): number => Number.parseInt(text, 16);
const hex16 = (lsn: string): string => lsnOf(lsn).toString(16).toUpperCase().padStart(16, '0');
