import { ByteCursor } from '../encodings/byte-cursor.ts';
import { intsetMembers } from '../encodings/intset.ts';
import { ListpackCursor } from '../encodings/listpack.ts';
import { packedElements } from './packed.ts';
import { refuseType } from '../rdb-type.ts';

/** Members of a set, in the order of the encoding, which means nothing. */
export function* setMembers(type: number, body: Buffer): Generator<Buffer> {
  const cursor = new ByteCursor(body);
  switch (type) {
    case 2:
      for (let left = cursor.length(); left > 0; left -= 1) yield cursor.string();
      break;
    case 11:
      yield* intsetMembers(cursor.string());
      break;
    case 20:
      yield* packedElements(new ListpackCursor(cursor.string()));
      break;
    default:
      refuseType(type);
  }
  cursor.finish();
}
