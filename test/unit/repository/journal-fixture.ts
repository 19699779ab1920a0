import { createCipheriv, createHash } from 'node:crypto';
import type { JournalDurable, JournalEpoch, JournalGap } from '../../../src/domain/journal.ts';
import { formatLsn } from '../../../src/domain/lsn.ts';
import type { JournalReader, Journals, JournalWriter, OpenJournal } from '../../../src/repository/journals/journals.ts';
import type { Codec } from '../../../src/repository/repository.ts';
import { collectBytes } from '../../support/collect.ts';
import { ENCRYPTED, OPERATION } from './fixture.ts';

export const SYSTEM = '7300000000000000001';
export const REPLID = 'a'.repeat(40);
/** The smallest that PostgreSQL knows. */
export const SEGMENT_BYTES = 1024 * 1024;
export const START_MS = Date.UTC(2026, 0, 15, 10, 30);
export const { signal } = OPERATION;

const BLOCK_BYTES = 16;

/** Bytes of a stream by position: any part of it can be made again, and no two places are alike. */
export function streamBytes(seed: string, from: number, to: number): Buffer {
  const first = Math.floor(from / BLOCK_BYTES);
  const counter = Buffer.alloc(BLOCK_BYTES);
  counter.writeBigUInt64BE(BigInt(first), BLOCK_BYTES - 8);
  const stream = createCipheriv('aes-256-ctr', createHash('sha256').update(seed).digest(), counter);
  return stream.update(Buffer.alloc(to - first * BLOCK_BYTES)).subarray(from - first * BLOCK_BYTES);
}

export const lsnAt = (bytes: number): string => formatLsn(BigInt(bytes));

export interface OpenOptions {
  readonly codec?: Codec;
  readonly from?: number;
  readonly fromMs?: number;
  readonly history?: string;
  readonly timeline?: number;
  readonly continues?: JournalEpoch | null;
  readonly gap?: JournalGap | null;
}

export async function openWal(journals: Journals, options: OpenOptions = {}): Promise<JournalWriter> {
  const { from = 0, fromMs = START_MS, timeline = 1 } = options;
  const position = { timeline, at: lsnAt(from), timeMs: fromMs };
  return journals.open({ ...common(options), kind: 'postgres', history: options.history ?? SYSTEM, from: position });
}

export async function openStream(journals: Journals, options: OpenOptions = {}): Promise<JournalWriter> {
  const { from = 0, fromMs = START_MS } = options;
  const position = { timeline: 0, at: String(from), timeMs: fromMs };
  return journals.open({ ...common(options), kind: 'redis', history: options.history ?? REPLID, from: position });
}

function common({ codec = ENCRYPTED, continues, gap }: OpenOptions): Omit<OpenJournal, 'kind' | 'history' | 'from'> {
  const before = continues?.begin;
  return {
    continues: before === undefined ? null : { history: before.history, epoch: before.epoch },
    gap: gap ?? null,
    attributes: { walSegmentBytes: String(SEGMENT_BYTES) },
    codec,
    startedAt: new Date(START_MS).toISOString(),
  };
}

export async function putPiece(writer: JournalWriter, from: number, to: number, timeline = 1): Promise<void> {
  const kind = to - from === SEGMENT_BYTES ? 'segment' : 'piece';
  const times = { fromMs: START_MS + from, toMs: START_MS + to };
  await writer.put(
    { kind, timeline, from: lsnAt(from), to: lsnAt(to), ...times },
    streamBytes('wal', from, to),
    signal,
  );
}

export const walDurable = (at: number, timeline = 1): JournalDurable => ({
  timeline,
  at: lsnAt(at),
  timeMs: START_MS + at,
});

export async function putChunk(writer: JournalWriter, from: number, to: number): Promise<void> {
  const times = { fromMs: START_MS + from, toMs: START_MS + to };
  const facts = { kind: 'chunk', timeline: 0, from: String(from), to: String(to), ...times } as const;
  await writer.put({ ...facts, marks: [[to - from, to - from]] }, streamBytes('redis', from, to), signal);
}

export const streamDurable = (at: number): JournalDurable => ({ timeline: 0, at: String(at), timeMs: START_MS + at });

/** All entries of an epoch, by key, as they can be read back. */
export async function readBack(journals: JournalReader, epoch: JournalEpoch): Promise<Map<string, Buffer>> {
  const read = new Map<string, Buffer>();
  for (const entry of epoch.entries) read.set(entry.key, await collectBytes(journals.read(epoch, entry, OPERATION)));
  return read;
}
