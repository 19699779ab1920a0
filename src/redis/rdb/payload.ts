import { CRC64_BYTES, type Crc64, sealCrc64 } from './crc64.ts';

/** Bytes of a DUMP payload around the body: the type in front, RDB version (LE16) and CRC64 behind. */
const VERSION_BYTES = 2;
export const DUMP_FOOTER_BYTES = VERSION_BYTES + CRC64_BYTES;

/**
 * The payload RESTORE takes, made from a value of an RDB file: type ‖ body ‖ version ‖ CRC64. Equal byte for byte to
 * what DUMP of the same server gives. `version` must not be above that of the server that restores it.
 */
export function dumpPayload(entry: { readonly type: number; readonly value: Uint8Array }, version: number): Buffer {
  const end = 1 + entry.value.length;
  const payload = Buffer.allocUnsafe(end + DUMP_FOOTER_BYTES);
  payload[0] = entry.type;
  payload.set(entry.value, 1);
  payload.writeUInt16LE(version, end);
  sealCrc64(payload, end + VERSION_BYTES);
  return payload;
}

/** What stands behind type and body: `crc` has taken both, and takes the version. */
export function writeFooter(crc: Crc64, version: number): Buffer {
  const footer = Buffer.alloc(DUMP_FOOTER_BYTES);
  footer.writeUInt16LE(version, 0);
  crc.update(footer, 0, VERSION_BYTES);
  crc.write(footer, VERSION_BYTES);
  return footer;
}
