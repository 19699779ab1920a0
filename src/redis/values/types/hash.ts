import { ByteCursor } from '../encodings/byte-cursor.ts';
import { ListpackCursor } from '../encodings/listpack.ts';
import { ZiplistCursor } from '../encodings/ziplist.ts';
import { packedPairs, type PackedCursor } from './packed.ts';
import { refuseType } from '../rdb-type.ts';

export interface HashField {
  readonly field: Buffer;
  readonly value: Buffer;
  /** Milliseconds since 1970 at which this field alone expires (Redis 7.4 and later); null for never. */
  readonly expireAtMs: number | null;
}

/** Fields of a hash, in the order of the encoding, which means nothing. */
export function* hashFields(type: number, body: Buffer): Generator<HashField> {
  const cursor = new ByteCursor(body);
  switch (type) {
    case 4:
      for (let left = cursor.length(); left > 0; left -= 1) {
        yield { field: cursor.string(), value: cursor.string(), expireAtMs: null };
      }
      break;
    case 13:
      yield* packedFields(new ZiplistCursor(cursor.string()));
      break;
    case 16:
      yield* packedFields(new ListpackCursor(cursor.string()));
      break;
    case 24:
      yield* expiringFields(cursor);
      break;
    case 25:
      yield* packedExpiringFields(cursor);
      break;
    default:
      refuseType(type);
  }
  cursor.finish();
}

function* packedFields(cursor: PackedCursor): Generator<HashField> {
  for (const [field, value] of packedPairs(cursor)) yield { field, value, expireAtMs: null };
}

/** Type 24: the earliest expiry, then per field its own, counted from the earliest and from 1; 0 is none. */
function* expiringFields(cursor: ByteCursor): Generator<HashField> {
  const earliestMs = cursor.milliseconds();
  for (let left = cursor.length(); left > 0; left -= 1) {
    const offset = cursor.length();
    yield {
      field: cursor.string(),
      value: cursor.string(),
      expireAtMs: offset === 0 ? null : earliestMs + offset - 1,
    };
  }
}

/** Type 25: the earliest expiry, which says nothing new, then a listpack of field, value and expiry; 0 is none. */
function* packedExpiringFields(cursor: ByteCursor): Generator<HashField> {
  cursor.milliseconds();
  const packed = new ListpackCursor(cursor.string());
  for (let field = packed.next(); field !== undefined; field = packed.next()) {
    const value = packed.element();
    const expireAtMs = Number(packed.integer());
    yield { field, value, expireAtMs: expireAtMs === 0 ? null : expireAtMs };
  }
}
