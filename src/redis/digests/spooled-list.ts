import { RecordDecoder } from './decode-records.ts';
import { RecordEncoder } from './encode-records.ts';
import type { Batch, KeyRecord } from './record.ts';
import { ScratchFile } from './scratch-file.ts';

/** Records in the order in which they come, kept in a scratch file until they are read. */
export class SpooledList {
  readonly #file: ScratchFile;
  readonly #valueBytes: number;
  readonly #encoder = new RecordEncoder();

  private constructor(file: ScratchFile, valueBytes: number) {
    this.#file = file;
    this.#valueBytes = valueBytes;
  }

  static async open(directory: string, valueBytes: number): Promise<SpooledList> {
    return new SpooledList(await ScratchFile.open(directory), valueBytes);
  }

  get records(): number {
    return this.#encoder.records;
  }

  /** A promise where it has to be waited for the disk. */
  add(record: KeyRecord): Promise<void> | undefined {
    const chunk = this.#encoder.add(record);
    return chunk === undefined ? undefined : this.#file.write(chunk);
  }

  /** All of it; to be called once, when nothing is added any more. */
  async *read(): AsyncGenerator<Batch, void, undefined> {
    await this.#file.write(this.#encoder.rest());
    const decoder = new RecordDecoder(this.#valueBytes);
    for await (const chunk of this.#file.read({ from: 0, to: this.#file.sizeBytes })) yield decoder.push(chunk);
  }

  async close(): Promise<void> {
    await this.#file.close();
  }
}
