import { LifeboatError } from '../../../domain/errors.ts';
import { isSealedByCrc64 } from '../../rdb/crc64.ts';
import { DUMP_FOOTER_BYTES } from '../../rdb/payload.ts';

export interface OpenPayload {
  /** Everything before the version: for a key its type byte and its body. */
  readonly content: Buffer;
  /** RDB version of the server that wrote it. */
  readonly rdbVersion: number;
}

/** Takes a payload of DUMP or FUNCTION DUMP apart; views of it. Throws REDIS_DUMP_CHECKSUM when its CRC64 is not right. */
export function openPayload(payload: Buffer): OpenPayload {
  const end = payload.length - DUMP_FOOTER_BYTES;
  if (end < 0)
    throw new LifeboatError('REDIS_DUMP_CHECKSUM', `read redis payload: ${payload.length} bytes are too few`);
  if (!isSealedByCrc64(payload, end + 2)) {
    throw new LifeboatError('REDIS_DUMP_CHECKSUM', `read redis payload: ${payload.length} bytes: crc64 does not match`);
  }
  return { content: payload.subarray(0, end), rdbVersion: payload.readUInt16LE(end) };
}
