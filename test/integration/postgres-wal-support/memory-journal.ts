/** A journal of received WAL that is kept in memory, with the facts that planWalReplay wants. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { JournalDurable, JournalEntry, JournalEpoch } from '../../../src/domain/journal.ts';
import { lsnOf } from '../../../src/domain/lsn.ts';
import type { ReplayTarget, WalReplay } from '../../../src/domain/wal-replay.ts';
import { planWalReplay } from '../../../src/domain/wal-replay.ts';
import { assembleWal, readHistories, type ReadPart } from '../../../src/postgres/wal/files/assemble-wal.ts';
import type { WalEvent, WalIdentity } from '../../../src/postgres/wal/wal.ts';
import { collectBytes } from '../../support/collect.ts';
import type { TestPostgres } from '../../support/servers.ts';

type Facts = Pick<JournalEntry, 'kind' | 'timeline' | 'from' | 'to' | 'fromMs' | 'toMs'>;

export interface MemoryJournal {
  readonly epoch: JournalEpoch;
  readonly read: ReadPart;
  put(facts: Facts, bytes: Uint8Array): void;
  /** What a follower does with an event. The bytes are copied: they are the receiver's. */
  take(event: WalEvent): void;
}

export function createMemoryJournal(identity: Pick<WalIdentity, 'systemIdentifier'>): MemoryJournal {
  const entries: JournalEntry[] = [];
  const bytesOf = new Map<string, Buffer>();
  let durable: JournalDurable = { timeline: 0, at: '0/0', timeMs: 0 };
  const journal: MemoryJournal = {
    get epoch() {
      const begin = { history: identity.systemIdentifier, epoch: 1, continues: null, gap: null };
      return { begin, entries, durable, stream: null, closed: null } as unknown as JournalEpoch;
    },
    async *read({ entry }) {
      yield bytesOf.get(entry.key) ?? Buffer.alloc(0);
    },
    put(facts, bytes) {
      const key = `${entries.length}`;
      bytesOf.set(key, Buffer.from(bytes));
      entries.push({
        ...facts,
        key,
        compression: 'none',
        plainBytes: bytes.length,
        storedBytes: bytes.length,
        sha256: '',
      });
    },
    take(event) {
      if (event.event === 'piece') {
        journal.put({ ...event, kind: event.segment ? 'segment' : 'piece' }, event.bytes);
        durable = { timeline: event.timeline, at: event.to, timeMs: event.toMs };
      } else if (event.event === 'time') {
        durable = { timeline: event.timeline, at: event.lsn, timeMs: event.timeMs };
      } else if (event.event === 'history') {
        const { timeline, timeMs } = event;
        journal.put({ kind: 'history', timeline, from: '', to: '', fromMs: timeMs, toMs: timeMs }, event.content);
      }
    },
  };
  return journal;
}

export interface BasePlace {
  readonly timeline: number;
  readonly endLsn: string;
  readonly endAt: string;
}

/** The files that a restore would get, by name. */
export async function replayFiles(
  journal: MemoryJournal,
  place: { readonly identity: WalIdentity; readonly base: BasePlace; readonly target: ReplayTarget },
): Promise<{ readonly plan: WalReplay; readonly files: Map<string, Buffer> }> {
  const { systemIdentifier, walSegmentBytes } = place.identity;
  const { epoch, read } = journal;
  const histories = await readHistories(
    epoch.entries.map((entry) => ({ epoch, entry })),
    read,
  );
  const base = { ...place.base, systemIdentifier, walSegmentBytes };
  const plan = planWalReplay([epoch], { base, target: place.target, histories });
  if (!plan.found) throw new Error(`${plan.code}: ${plan.message}`);
  const files = new Map<string, Buffer>();
  for (const file of assembleWal(plan, read)) files.set(file.name, await collectBytes(file.read()));
  return { plan, files };
}

/**
 * Compares what was assembled with the server's own files: whole segments byte for byte, the last one up to the end of what was
 * received. Gives the names that differ.
 */
export async function differences(
  server: Pick<TestPostgres, 'dataDir'>,
  { plan, files }: { readonly plan: WalReplay; readonly files: ReadonlyMap<string, Buffer> },
): Promise<string[]> {
  const wrong: string[] = [];
  const last = [...files.keys()].at(-1);
  const usedBytes = Number(lsnOf(plan.reach.at) % BigInt(plan.segmentBytes));
  for (const [name, bytes] of files) {
    const theirs = await readFile(join(server.dataDir, 'pg_wal', name));
    const length = name === last && usedBytes > 0 ? usedBytes : bytes.length;
    if (!theirs.subarray(0, length).equals(bytes.subarray(0, length))) wrong.push(name);
    if (bytes.subarray(length).some((byte) => byte !== 0)) wrong.push(`${name}: not padded with zeros`);
  }
  return wrong;
}
