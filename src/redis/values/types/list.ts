import { ByteCursor } from '../encodings/byte-cursor.ts';
import { corrupt } from '../encodings/corrupt.ts';
import { ListpackCursor } from '../encodings/listpack.ts';
import { ZiplistCursor } from '../encodings/ziplist.ts';
import { packedElements } from './packed.ts';
import { refuseType } from '../rdb-type.ts';

/** Containers of a quicklist node (quicklist.h of Redis): one big element as it is, or a listpack of small ones. */
const PLAIN = 1;
const PACKED = 2;

/** Elements of a list, first to last. */
export function* listElements(type: number, body: Buffer): Generator<Buffer> {
  const cursor = new ByteCursor(body);
  switch (type) {
    case 1:
      for (let left = cursor.length(); left > 0; left -= 1) yield cursor.string();
      break;
    case 10:
      yield* packedElements(new ZiplistCursor(cursor.string()));
      break;
    case 14:
      for (let left = cursor.length(); left > 0; left -= 1) yield* packedElements(new ZiplistCursor(cursor.string()));
      break;
    case 18:
      for (let left = cursor.length(); left > 0; left -= 1) yield* nodeElements(cursor);
      break;
    default:
      refuseType(type);
  }
  cursor.finish();
}

function* nodeElements(cursor: ByteCursor): Generator<Buffer> {
  const container = cursor.length();
  if (container === PLAIN) yield cursor.string();
  else if (container === PACKED) yield* packedElements(new ListpackCursor(cursor.string()));
  else corrupt('quicklist', `container ${container}`);
}
