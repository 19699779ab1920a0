import { IN_PIECES_BYTES } from '../rdb/capture.ts';
import { createCrc64 } from '../rdb/crc64.ts';
import { DUMP_FOOTER_BYTES, dumpPayload, writeFooter } from '../rdb/payload.ts';
import { OPCODE } from '../rdb/shapes.ts';
import { type RdbEntry, type RdbLargeHead, RdbWalker } from '../rdb/walk.ts';
import type { PayloadPiece, RestoreItem } from '../dump/stream/format.ts';

/**
 * The keys and libraries of an RDB file in the form RESTORE and FUNCTION RESTORE take, stamped with `version`. A large
 * string leaves in the pieces in which it comes; any other large value is put together once, and not copied again.
 */
export async function* rdbItems(
  source: AsyncIterable<Uint8Array>,
  version: number,
): AsyncGenerator<RestoreItem, void, undefined> {
  let items: RestoreItem[] = [];
  const walker = new RdbWalker({
    onFunction: (code) => items.push({ kind: 'functions', payload: libraryPayload(code, version) }),
    onEntry(entry) {
      if (entry.value.length >= IN_PIECES_BYTES) items.push(...inPieces(entry, version));
      else items.push(keyItem(entry, version));
    },
    onLarge(head) {
      const payload = new LargePayload(head.type, version);
      items.push(largeKey(head), payload.begin());
      return {
        piece: (bytes) => void items.push(payload.piece(bytes)),
        end: () => void items.push(payload.end()),
      };
    },
  });
  for await (const chunk of source) {
    walker.push(chunk);
    const ready = items;
    items = [];
    yield* ready;
  }
  walker.end();
}

function keyItem({ db, key, expireAtMs, type, value }: RdbEntry, version: number): RestoreItem {
  return { kind: 'key', db, key, expireAtMs, payload: dumpPayload({ type, value }, version) };
}

function inPieces({ value, ...head }: RdbEntry, version: number): RestoreItem[] {
  const payload = new LargePayload(head.type, version);
  return [largeKey({ ...head, bodyBytes: value.length }), payload.begin(), payload.piece(value), payload.end()];
}

function largeKey({ db, key, expireAtMs, bodyBytes }: RdbLargeHead): RestoreItem {
  return { kind: 'large key', db, key, expireAtMs, payloadBytes: 1 + bodyBytes + DUMP_FOOTER_BYTES };
}

/** A payload as `dumpPayload` makes it, in pieces. */
class LargePayload {
  readonly #crc = createCrc64();
  readonly #type: number;
  readonly #version: number;

  constructor(type: number, version: number) {
    this.#type = type;
    this.#version = version;
  }

  begin(): PayloadPiece {
    return this.piece(Buffer.from([this.#type]));
  }

  piece(bytes: Buffer): PayloadPiece {
    this.#crc.update(bytes);
    return { kind: 'piece', bytes };
  }

  end(): PayloadPiece {
    return { kind: 'piece', bytes: writeFooter(this.#crc, this.#version) };
  }
}

/** A payload of FUNCTION DUMP with one library: opcode ‖ length-prefixed code ‖ version ‖ CRC64 (functions.c). */
function libraryPayload(code: Buffer, version: number): Buffer {
  const length = Buffer.alloc(5);
  length[0] = 0x80;
  length.writeUInt32BE(code.length, 1);
  return dumpPayload({ type: OPCODE.function2, value: Buffer.concat([length, code]) }, version);
}
