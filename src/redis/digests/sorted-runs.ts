import { RecordDecoder } from './decode-records.ts';
import { RecordEncoder } from './encode-records.ts';
import { mergeSorted } from './merge-sorted.ts';
import { RecordArena } from './record-arena.ts';
import type { Batch, KeyRecord } from './record.ts';
import { type Range, ScratchFile } from './scratch-file.ts';

/** So many bytes of records wait in memory to be sorted. */
const RUN_BYTES = 8 * 1024 * 1024;
const BATCH_RECORDS = 1000;

/** Sorts any number of records in bounded memory: sorted runs in a scratch file, merged when they are read. */
export class SortedRuns {
  readonly #directory: string;
  readonly #valueBytes: number;
  readonly #runs: Range[] = [];
  readonly #arena: RecordArena;
  #file: ScratchFile | undefined;

  /** @param valueBytes length of each record's value */
  constructor(directory: string, valueBytes: number, runBytes: number = RUN_BYTES) {
    this.#directory = directory;
    this.#valueBytes = valueBytes;
    this.#arena = new RecordArena(runBytes, valueBytes);
  }

  /** Takes a copy of a record; a promise where it has to be waited for the disk. One at a time. */
  add(record: KeyRecord): Promise<void> | undefined {
    return this.#arena.add(record) ? undefined : this.#addAfterRun(record);
  }

  /** All records in order; of equal keys the one that was added last. To be called once nothing is added any more. */
  sorted(): AsyncGenerator<Batch, void, undefined> {
    const runs = this.#runs.map((range) => readRun(this.#file!, range, this.#valueBytes));
    return mergeSorted([...runs, inMemory(this.#arena)]);
  }

  async close(): Promise<void> {
    await this.#file?.close();
  }

  async #addAfterRun(record: KeyRecord): Promise<void> {
    this.#file ??= await ScratchFile.open(this.#directory);
    const from = this.#file.sizeBytes;
    const encoder = new RecordEncoder();
    for (const one of this.#arena.sorted()) {
      const chunk = encoder.add(one);
      if (chunk !== undefined) await this.#file.write(chunk);
    }
    await this.#file.write(encoder.rest());
    this.#runs.push({ from, to: this.#file.sizeBytes });
    this.#arena.clear();
    this.#arena.add(record);
  }
}

async function* readRun(file: ScratchFile, range: Range, valueBytes: number): AsyncGenerator<Batch, void, undefined> {
  const decoder = new RecordDecoder(valueBytes);
  for await (const chunk of file.read(range)) yield decoder.push(chunk);
}

async function* inMemory(arena: RecordArena): AsyncGenerator<Batch, void, undefined> {
  let batch: KeyRecord[] = [];
  for (const record of arena.sorted()) {
    if (batch.push(record) < BATCH_RECORDS) continue;
    yield batch;
    batch = [];
  }
  yield batch;
}
