import { ByteCursor } from '../encodings/byte-cursor.ts';
import { corrupt } from '../encodings/corrupt.ts';
import { ListpackCursor } from '../encodings/listpack.ts';
import { ZiplistCursor } from '../encodings/ziplist.ts';
import { packedPairs, type PackedCursor } from './packed.ts';
import { refuseType } from '../rdb-type.ts';

export interface SortedSetMember {
  readonly member: Buffer;
  readonly score: number;
}

/** Members of a sorted set with their scores, in the order of the encoding, which means nothing. */
export function* sortedSetMembers(type: number, body: Buffer): Generator<SortedSetMember> {
  const cursor = new ByteCursor(body);
  switch (type) {
    case 3:
      for (let left = cursor.length(); left > 0; left -= 1) yield { member: cursor.string(), score: textScore(cursor) };
      break;
    case 5:
      for (let left = cursor.length(); left > 0; left -= 1) yield { member: cursor.string(), score: cursor.double() };
      break;
    case 12:
      yield* packedMembers(new ZiplistCursor(cursor.string()));
      break;
    case 17:
      yield* packedMembers(new ListpackCursor(cursor.string()));
      break;
    default:
      refuseType(type);
  }
  cursor.finish();
}

function* packedMembers(cursor: PackedCursor): Generator<SortedSetMember> {
  for (const [member, score] of packedPairs(cursor)) yield { member, score: parseScore(score.toString('latin1')) };
}

/** Scores before RDB 8: a length byte and text, three lengths stand for what has no digits (rdbLoadDoubleValue). */
function textScore(cursor: ByteCursor): number {
  const length = cursor.byte();
  switch (length) {
    case 253:
      return Number.NaN;
    case 254:
      return Number.POSITIVE_INFINITY;
    case 255:
      return Number.NEGATIVE_INFINITY;
    default:
      return parseScore(cursor.raw(length).toString('latin1'));
  }
}

const NAMED_SCORES: Readonly<Record<string, number>> = {
  inf: Number.POSITIVE_INFINITY,
  '-inf': Number.NEGATIVE_INFINITY,
  nan: Number.NaN,
  '-nan': Number.NaN,
};

function parseScore(text: string): number {
  const named = NAMED_SCORES[text];
  if (named !== undefined) return named;
  const score = Number(text);
  if (text.trim() === '' || Number.isNaN(score)) corrupt('sorted set', 'a score is not a number');
  return score;
}
