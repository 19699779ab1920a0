import { RecordDecoder } from './decode-records.ts';
import { RecordEncoder } from './encode-records.ts';
import { mergeSorted } from './merge-sorted.ts';
import { type Batch, compareIds, type KeyRecord } from './record.ts';
import { type Range, ScratchFile } from './scratch-file.ts';

/** So many bytes of records wait in memory to be sorted; with what describes them about five times as much. */
const RUN_BYTES = 8 * 1024 * 1024;

/** Sorts any number of records in bounded memory: sorted runs in a scratch file, merged when they are read. */
export class SortedRuns {
  readonly #directory: string;
  readonly #valueBytes: number;
  readonly #runBytes: number;
  readonly #runs: Range[] = [];
  #file: ScratchFile | undefined;
  #waiting: KeyRecord[] = [];
  #waitingBytes = 0;

  /** @param valueBytes length of each record's value */
  constructor(directory: string, valueBytes: number, runBytes: number = RUN_BYTES) {
    this.#directory = directory;
    this.#valueBytes = valueBytes;
    this.#runBytes = runBytes;
  }

  /** Takes a record that is not to be changed afterwards; a promise where it has to be waited for the disk. */
  add(record: KeyRecord): Promise<void> | undefined {
    this.#waiting.push(record);
    this.#waitingBytes += record.id.length + record.value.length;
    return this.#waitingBytes < this.#runBytes ? undefined : this.#writeRun();
  }

  /** All records in order; of equal keys the one that was added last. To be called once nothing is added any more. */
  sorted(): AsyncGenerator<Batch, void, undefined> {
    this.#waiting.sort(compareIds);
    const runs = this.#runs.map((range) => readRun(this.#file!, range, this.#valueBytes));
    return mergeSorted([...runs, inMemory(this.#waiting)]);
  }

  async close(): Promise<void> {
    await this.#file?.close();
  }

  async #writeRun(): Promise<void> {
    this.#file ??= await ScratchFile.open(this.#directory);
    const from = this.#file.sizeBytes;
    const records = this.#waiting.sort(compareIds);
    [this.#waiting, this.#waitingBytes] = [[], 0];
    const encoder = new RecordEncoder();
    for (const record of records) {
      const chunk = encoder.add(record);
      if (chunk !== undefined) await this.#file.write(chunk);
    }
    await this.#file.write(encoder.rest());
    this.#runs.push({ from, to: this.#file.sizeBytes });
  }
}

async function* readRun(file: ScratchFile, range: Range, valueBytes: number): AsyncGenerator<Batch, void, undefined> {
  const decoder = new RecordDecoder(valueBytes);
  for await (const chunk of file.read(range)) yield decoder.push(chunk);
}

async function* inMemory(records: readonly KeyRecord[]): AsyncGenerator<Batch, void, undefined> {
  yield records;
}
