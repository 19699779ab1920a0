import { crc32 } from 'node:zlib';
import { LifeboatError } from '../../domain/errors.ts';
import { END_MARK, RecordDecoder } from './decode-records.ts';
import { RecordEncoder } from './encode-records.ts';
import { type Batch, compareIds, INDEX_VALUE_BYTES, type KeyRecord } from './record.ts';

/**
 * A stored list of keys, sorted by database and key, each once; docs/repository-format.md. Numbers are little-endian
 * unless said otherwise.
 *
 *     magic    8 bytes, the last one is the version of the format
 *     record   u32 length of the id, id (u32 big-endian database, key), value of a fixed length
 *     trailer  u32 0xffffffff, u64 records, u32 CRC-32 (zlib) of all bytes before it; then the end
 */
export interface ListFormat {
  readonly name: string;
  readonly magic: Buffer;
  readonly valueBytes: number;
}

/** Digest and place of each key: 16 bytes of SHA-256, u16 layer, u48 ordinal. */
export const DIGEST_INDEX: ListFormat = {
  name: 'redis-digest-index',
  magic: Buffer.from('LBINDEX\x01', 'latin1'),
  valueBytes: INDEX_VALUE_BYTES,
};

/** Keys that the backup before held and this one does not. */
export const DELETIONS: ListFormat = {
  name: 'redis-deletions',
  magic: Buffer.from('LBGONE\0\x01', 'latin1'),
  valueBytes: 0,
};

const COUNT_BYTES = 8;
const TRAILER_BYTES = COUNT_BYTES + 4;

export async function* writeRecordList(
  { magic }: ListFormat,
  source: AsyncIterable<Batch>,
): AsyncGenerator<Buffer, void, undefined> {
  const encoder = new RecordEncoder();
  let checksum = crc32(magic);
  yield magic;
  for await (const batch of source) {
    for (const record of batch) {
      const chunk = encoder.add(record);
      if (chunk === undefined) continue;
      checksum = crc32(chunk, checksum);
      yield chunk;
    }
  }
  const end = Buffer.alloc(4 + COUNT_BYTES);
  end.writeUInt32LE(END_MARK, 0);
  end.writeBigUInt64LE(BigInt(encoder.records), 4);
  const last = Buffer.concat([encoder.rest(), end]);
  const seal = Buffer.alloc(4);
  seal.writeUInt32LE(crc32(last, checksum), 0);
  yield Buffer.concat([last, seal]);
}

/** Reads a stored list to its end. @throws LifeboatError REDIS_INDEX_DAMAGED */
export async function* readRecordList(
  format: ListFormat,
  source: AsyncIterable<Uint8Array>,
): AsyncGenerator<Batch, void, undefined> {
  const decoder = new RecordDecoder(format.valueBytes);
  const sum = createTrailingSum();
  let head = Buffer.alloc(0);
  let last: KeyRecord | undefined;
  for await (const chunk of source) {
    sum.push(chunk);
    let bytes = chunk;
    if (head.length < format.magic.length) {
      const begun = Buffer.concat([head, chunk]);
      head = begun.subarray(0, format.magic.length);
      if (head.length < format.magic.length) continue;
      if (!head.equals(format.magic)) throw damaged(format, 'it does not begin as one of version 1');
      bytes = begun.subarray(format.magic.length);
    }
    const batch = decoder.push(bytes);
    requireOrder(format, last, batch);
    last = batch.at(-1) ?? last;
    if (batch.length > 0) yield batch;
  }
  requireTrailer(format, decoder, sum.value());
}

function requireOrder(format: ListFormat, before: KeyRecord | undefined, batch: Batch): void {
  let last = before;
  for (const record of batch) {
    if (record.id.length < 4 || (last !== undefined && compareIds(last, record) >= 0)) {
      throw damaged(format, 'its keys are not in order');
    }
    last = record;
  }
}

function requireTrailer(format: ListFormat, { ended, rest, records }: RecordDecoder, checksum: number): void {
  if (!ended) throw damaged(format, 'it ends before its trailer');
  if (rest.length !== TRAILER_BYTES) throw damaged(format, 'bytes are missing or too many behind its last key');
  const matches = rest.readBigUInt64LE(0) === BigInt(records) && rest.readUInt32LE(COUNT_BYTES) === checksum;
  if (!matches) throw damaged(format, `${records} keys: the trailer does not match`);
}

/** CRC-32 of all bytes but the last four, which hold it. */
function createTrailingSum(): { push(chunk: Uint8Array): void; value(): number } {
  let checksum = 0;
  let held: Buffer = Buffer.alloc(0);
  return {
    push(chunk) {
      const bytes = Buffer.concat([held, chunk]);
      const at = Math.max(0, bytes.length - 4);
      checksum = crc32(bytes.subarray(0, at), checksum);
      held = bytes.subarray(at);
    },
    value: () => checksum,
  };
}

function damaged({ name }: ListFormat, fact: string): LifeboatError {
  return new LifeboatError('REDIS_INDEX_DAMAGED', `read ${name}: ${fact}`);
}
