import { OPCODE } from '../rdb/shapes.ts';
import { dumpPayload } from '../rdb/payload.ts';
import { readRdb } from '../rdb/walk.ts';
import type { DumpItem } from '../dump/stream/format.ts';

/** The keys and libraries of an RDB file in the form RESTORE and FUNCTION RESTORE take, stamped with `version`. */
export async function* rdbItems(
  source: AsyncIterable<Uint8Array>,
  version: number,
): AsyncGenerator<DumpItem, void, undefined> {
  for await (const item of readRdb(source)) {
    if (item.kind === 'function') yield { kind: 'functions', payload: libraryPayload(item.code, version) };
    if (item.kind !== 'entry') continue;
    const { db, key, expireAtMs } = item.entry;
    yield { kind: 'key', db, key, expireAtMs, payload: dumpPayload(item.entry, version) };
  }
}

/** A payload of FUNCTION DUMP with one library: opcode ‖ length-prefixed code ‖ version ‖ CRC64 (functions.c). */
function libraryPayload(code: Buffer, version: number): Buffer {
  const length = Buffer.alloc(5);
  length[0] = 0x80;
  length.writeUInt32BE(code.length, 1);
  return dumpPayload({ type: OPCODE.function2, value: Buffer.concat([length, code]) }, version);
}
