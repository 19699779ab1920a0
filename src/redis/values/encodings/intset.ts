import { decimal } from './byte-cursor.ts';
import { corrupt } from './corrupt.ts';

/** Width of a member in bytes, number of members, both 32 bits (intset.h of Redis). */
const HEADER_BYTES = 8;

/** Members of an intset as decimal text, ascending as stored. */
export function* intsetMembers(bytes: Buffer): Generator<Buffer> {
  if (bytes.length < HEADER_BYTES) corrupt('intset', 'shorter than its header');
  const width = bytes.readUInt32LE(0);
  const count = bytes.readUInt32LE(4);
  if (width !== 2 && width !== 4 && width !== 8) corrupt('intset', `members of ${width} bytes`);
  if (bytes.length !== HEADER_BYTES + width * count) corrupt('intset', `${bytes.length} bytes for ${count} members`);
  for (let at = HEADER_BYTES; at < bytes.length; at += width) {
    yield decimal(width === 8 ? bytes.readBigInt64LE(at) : bytes.readIntLE(at, width));
  }
}
