import { hash } from 'node:crypto';
import { checkSnapshot, checkStored, type SnapshotCheck } from '../check-snapshot.ts';
import { exportByDump } from '../dump/export-by-dump.ts';
import type { RdbEntry } from '../rdb/walk.ts';
import { createHashSet, HASH_SET_MAX } from '../values/hash-set.ts';
import type { ImportJob } from './job.ts';
import { type ReadBack, readBack } from './read-back.ts';

export interface Membership {
  readonly expected: SnapshotCheck;
  readonly actual: ReadBack;
}

/**
 * Compares keys of the snapshot alone. Before loading the target was emptied, and nothing is written that the snapshot
 * does not hold: a key of another name came from a client, and is counted among the strangers of `actual`.
 * Undefined for a snapshot of more keys than are kept in memory.
 */
export async function compareKnownKeys(job: ImportJob): Promise<Membership | undefined> {
  if (job.request.facts.keys > HASH_SET_MAX) return undefined;
  const names = createHashSet(job.request.facts.keys);
  // A first reading for the names; the second one leaves out what has expired when the target is read.
  await checkStored(job.request.format, job.open(), {
    operation: job.operation,
    phase: 'reading the names of keys',
    belongs: (_, entry) => {
      if (entry !== undefined) names.add(nameHash(entry));
      return true;
    },
  });
  const belongs = (_: string, entry?: RdbEntry): boolean => entry === undefined || names.has(nameHash(entry));
  const actual = await readBack(job.request.target, job.operation, belongs);
  const expected = await checkStored(job.request.format, job.open(), {
    operation: job.operation,
    phase: 'reading the snapshot again',
    liveAtMs: () => actual.liveAtMs,
  });
  return { expected, actual };
}

/**
 * Reads the target, and tells what it holds beside keys of the snapshot with their values and expiries, or a part of
 * them, and the key `except`. It is read key by key: replication may have the server save itself to disk, and that begins
 * its count of writes anew. A hash of which fields have expired since counts as a stranger: it is not what was loaded.
 * Undefined for a snapshot of more keys than are kept in memory.
 */
export async function readStrangers(job: ImportJob, except: Buffer): Promise<SnapshotCheck | undefined> {
  const { request, operation } = job;
  const size = request.facts.keys + request.facts.functions;
  if (size > HASH_SET_MAX) return undefined;
  const held = createHashSet(size);
  const hold = (value: string): boolean => {
    held.add(value);
    return true;
  };
  await checkStored(request.format, job.open(), { operation, phase: 'reading what was loaded', belongs: hold });

  const belongs = (value: string, entry?: RdbEntry): boolean => held.has(value) || entry?.key.equals(except) === true;
  let found: SnapshotCheck | undefined;
  await exportByDump(request.target, {
    operation,
    sink: async (_artifact, source) => {
      found = await checkSnapshot('redis-dump', source, { operation, phase: 'reading the target back', belongs });
    },
  });
  return found;
}

/** A key's name in the form a HashSet takes. */
export function nameHash({ db, key }: Pick<RdbEntry, 'db' | 'key'>): string {
  return hash('sha256', Buffer.concat([Buffer.from(`${db} `, 'latin1'), key]), 'binary');
}
