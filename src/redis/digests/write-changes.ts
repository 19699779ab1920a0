import type { Operation } from '../../domain/operation.ts';
import type { DumpedFunctions } from '../dump/read-functions.ts';
import type { ScannedKey } from '../dump/scan/scan-database.ts';
import { writeBatch } from '../dump/large-payload.ts';
import { DumpWriter } from '../dump/stream/dump-writer.ts';
import type { DumpHeader } from '../dump/stream/format.ts';
import type { ChangesBase } from '../redis.ts';
import { DigestSum } from '../values/digest-sum.ts';
import { digestOfSums, hashLibrary } from '../values/digest.ts';
import { type JoinedKey, joinSorted } from './join-sorted.ts';
import { KeyHasher } from '../dump/scan/key-hasher.ts';
import type { KeySource } from '../dump/scan/key-source.ts';
import { DIGEST_INDEX, readRecordList } from './record-list.ts';
import {
  databaseOf,
  digestOf,
  keyOf,
  type KeyRecord,
  recordId,
  recordValue,
  sameDigest,
  STORED_DIGEST_BYTES,
} from './record.ts';
import type { SortedRuns } from './sorted-runs.ts';
import type { SpooledList } from './spooled-list.ts';

const NOTHING = Buffer.alloc(0);

/** What the server holds, as far as it is in this backup and those before it. */
export interface ChangesWritten {
  readonly keys: number;
  /** Keys per database number. */
  readonly databases: Readonly<Record<string, number>>;
  readonly changed: number;
  /** Over all keys and functions; hex. */
  readonly digest: string;
}

export interface ChangesWork {
  readonly source: KeySource;
  readonly base: ChangesBase;
  /** Digests of all keys of the server. */
  readonly runs: SortedRuns;
  readonly header: DumpHeader;
  readonly functions: DumpedFunctions | undefined;
  /** Takes each key with its place, in order. */
  readonly index: SpooledList;
  /** Takes the keys that are gone, in order. */
  readonly deletions: SpooledList;
  readonly operation: Operation;
  onEnd(written: ChangesWritten): void;
}

/** Gives the changed keys as a redis-dump, and fills the two lists on the way. */
export async function* writeChanges(work: ChangesWork): AsyncGenerator<Uint8Array, void, undefined> {
  const { base, runs, header, functions, operation, onEnd } = work;
  const writer = new DumpWriter(header);
  if (functions !== undefined) writer.functions(functions.payload);
  const account = createAccount(work);
  const note = createPlaces(writer);
  for await (const keys of joinSorted(readRecordList(DIGEST_INDEX, base.openIndex()), runs.sorted())) {
    const stored = new Map<string, Stored>();
    for (const [db, changed] of changedByDatabase(keys)) {
      for await (const batch of work.source.some(db, changed)) {
        note(db, batch, stored);
        yield* writeBatch(writer, db, batch);
      }
    }
    for (const key of keys) await account.settle(key, stored);
    operation.onProgress({ phase: 'copying changes', bytes: writer.payloadBytes, items: writer.keys });
  }
  yield* writer.finish();
  onEnd({ ...account.total(), changed: writer.keys });
}

/** A key whose value is in this dump. */
interface Stored {
  readonly hash: string;
  readonly ordinal: number;
}

/** Notes in `stored` where keys that are written next will stand. */
function createPlaces(
  writer: DumpWriter,
): (db: number, batch: readonly ScannedKey[], stored: Map<string, Stored>) => void {
  const hasher = new KeyHasher();
  return (db, batch, stored) => {
    for (const [at, scanned] of batch.entries()) {
      const place = { hash: hasher.hash(db, scanned).hash, ordinal: writer.keys + at };
      stored.set(recordId(db, scanned.key).toString('latin1'), place);
    }
  };
}

const isUnchanged = ({ before, now }: JoinedKey): boolean =>
  before !== undefined && now !== undefined && sameDigest(before, now);

function changedByDatabase(joined: readonly JoinedKey[]): Map<number, Buffer[]> {
  const changed = new Map<number, Buffer[]>();
  for (const key of joined) {
    const { now } = key;
    if (now === undefined || isUnchanged(key)) continue;
    const db = databaseOf(now.id);
    const keys = changed.get(db) ?? [];
    if (keys.push(keyOf(now.id)) === 1) changed.set(db, keys);
  }
  return changed;
}

/** Decides of each key what is noted of it, and sums up what there is. */
function createAccount({ base, index, deletions, functions }: ChangesWork): {
  settle(key: JoinedKey, stored: ReadonlyMap<string, Stored>): Promise<void>;
  total(): Omit<ChangesWritten, 'changed'>;
} {
  const sum = new DigestSum();
  const databases: Record<string, number> = {};
  const layer = base.layers.length;
  const keep = async (record: KeyRecord, hash: string): Promise<void> => {
    sum.add(hash);
    const db = databaseOf(record.id);
    databases[db] = (databases[db] ?? 0) + 1;
    await index.add(record);
  };
  return {
    async settle(key, stored) {
      const { before, now } = key;
      if (before !== undefined && now !== undefined && isUnchanged(key)) return await keep(before, digestOf(now));
      const found = now && stored.get(now.id.toString('latin1'));
      if (now !== undefined && found !== undefined) {
        const digest = found.hash.slice(0, STORED_DIGEST_BYTES);
        return await keep({ id: now.id, value: recordValue(digest, { layer, ordinal: found.ordinal }) }, found.hash);
      }
      // A key that is gone by now, though the scan has seen it, is as one that the scan has not seen.
      if (before !== undefined) await deletions.add({ id: before.id, value: NOTHING });
    },
    total() {
      const libraries = new DigestSum();
      for (const code of functions?.libraries ?? []) libraries.add(hashLibrary(code));
      return { keys: sum.count, databases, digest: digestOfSums(sum, libraries) };
    },
  };
}
