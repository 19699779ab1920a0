/** Header of the first page of a WAL segment: XLogLongPageHeaderData in src/include/access/xlog_internal.h. */
import { isSegmentSize, type Lsn } from '../../../domain/lsn.ts';

export interface LongHeader {
  /** Differs between major versions. */
  readonly magic: number;
  readonly timeline: number;
  /** Position of the segment's first byte. */
  readonly address: Lsn;
  /** Decimal, as the server gives it. */
  readonly systemIdentifier: string;
  readonly segmentBytes: number;
  readonly pageBytes: number;
  /** The byte order of the server's machine. */
  readonly littleEndian: boolean;
}

export const SHORT_HEADER_BYTES = 24;
export const LONG_HEADER_BYTES = 40;

/** 0xD0xx and 0xD1xx since version 8; the low byte counts changes of the format. */
const MAGIC_PREFIX = 0xd1;
const LONG_HEADER_FLAG = 0x0002;

/** @returns undefined where the bytes (40 at least) are not such a header */
export function readLongHeader(bytes: Buffer): LongHeader | undefined {
  if (bytes.length < LONG_HEADER_BYTES) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, LONG_HEADER_BYTES);
  return read(view, true) ?? read(view, false);
}

function read(view: DataView, littleEndian: boolean): LongHeader | undefined {
  const magic = view.getUint16(0, littleEndian);
  const flags = view.getUint16(2, littleEndian);
  const segmentBytes = view.getUint32(32, littleEndian);
  const pageBytes = view.getUint32(36, littleEndian);
  const plausible = magic >> 8 === MAGIC_PREFIX && (flags & LONG_HEADER_FLAG) !== 0 && isSegmentSize(segmentBytes);
  if (!plausible || !Number.isInteger(Math.log2(pageBytes)) || pageBytes > 65_536) return undefined;
  return {
    magic,
    timeline: view.getUint32(4, littleEndian),
    address: view.getBigUint64(8, littleEndian),
    systemIdentifier: view.getBigUint64(24, littleEndian).toString(),
    segmentBytes,
    pageBytes,
    littleEndian,
  };
}
