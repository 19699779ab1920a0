import { corrupt } from '../encodings/corrupt.ts';

/** A listpack or ziplist: gives undefined behind its last element. */
export interface PackedCursor {
  next(): Buffer | undefined;
}

/** All elements of a listpack or ziplist. */
export function* packedElements(cursor: PackedCursor): Generator<Buffer> {
  for (let element = cursor.next(); element !== undefined; element = cursor.next()) yield element;
}

/** Elements that stand in pairs: member and score, field and value. */
export function* packedPairs(cursor: PackedCursor): Generator<readonly [Buffer, Buffer]> {
  for (let first = cursor.next(); first !== undefined; first = cursor.next()) {
    yield [first, cursor.next() ?? corrupt('packed pairs', 'the last has no second half')];
  }
}
