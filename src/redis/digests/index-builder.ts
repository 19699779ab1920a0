import { LifeboatError } from '../../domain/errors.ts';
import type { ScannedKey } from '../dump/scan/scan-database.ts';
import { DigestSum } from '../values/digest-sum.ts';
import { digestOfSums, hashLibrary } from '../values/digest.ts';
import { KeyHasher } from '../dump/scan/key-hasher.ts';
import { DIGEST_INDEX, writeRecordList } from './record-list.ts';
import {
  type Batch,
  digestOf,
  type KeyRecord,
  locationOf,
  recordId,
  recordValue,
  SORTED_VALUE_BYTES,
  STORED_DIGEST_BYTES,
} from './record.ts';
import { SortedRuns } from './sorted-runs.ts';

/** Makes the digest index of a full dump while its keys pass. */
export class IndexBuilder {
  readonly #runs: SortedRuns;
  readonly #hasher = new KeyHasher();
  readonly #keys = new DigestSum();
  readonly #functions = new DigestSum();
  #readable = true;

  /** @param directory for what is sorted and does not fit into memory */
  constructor(directory: string) {
    this.#runs = new SortedRuns(directory, SORTED_VALUE_BYTES);
  }

  /** False once a value came of a type that is not known: it can be copied, but not compared. */
  get readable(): boolean {
    return this.#readable;
  }

  /** @param ordinal how many keys stand in the dump before the first of these */
  async addBatch(db: number, batch: readonly ScannedKey[], ordinal: number): Promise<void> {
    for (const [at, scanned] of batch.entries()) {
      const hash = this.#readable ? this.#hash(db, scanned) : undefined;
      if (hash === undefined) return;
      this.#keys.add(hash);
      const value = recordValue(hash, { layer: 0, ordinal: ordinal + at });
      const writing = this.#runs.add({ id: recordId(db, scanned.key), value });
      if (writing !== undefined) await writing;
    }
  }

  addLibraries(libraries: readonly Buffer[]): void {
    for (const code of libraries) this.#functions.add(hashLibrary(code));
  }

  /** Over all that was added, as `checkSnapshot` computes it; hex. */
  digest(): string {
    return digestOfSums(this.#keys, this.#functions);
  }

  /** The bytes of the index. */
  index(): AsyncIterable<Uint8Array> {
    return writeRecordList(DIGEST_INDEX, indexRecords(this.#runs.sorted()));
  }

  async close(): Promise<void> {
    await this.#runs.close();
  }

  #hash(db: number, scanned: ScannedKey): string | undefined {
    try {
      return this.#hasher.hash(db, scanned).hash;
    } catch (error) {
      if (!(error instanceof LifeboatError && error.code === 'REDIS_VALUE_TYPE_UNKNOWN')) throw error;
      this.#readable = false;
      return undefined;
    }
  }
}

async function* indexRecords(sorted: AsyncIterable<Batch>): AsyncGenerator<Batch, void, undefined> {
  for await (const batch of sorted) yield batch.map(toIndexRecord);
}

/** A sorted record with what is stored of its digest. */
function toIndexRecord(record: KeyRecord): KeyRecord {
  const digest = digestOf(record).slice(0, STORED_DIGEST_BYTES);
  return { id: record.id, value: recordValue(digest, locationOf(record)) };
}
