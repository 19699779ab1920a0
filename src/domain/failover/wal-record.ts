import { segmentCeiling, type Lsn } from '../lsn.ts';

const ALIGNMENT = 8n;
const SHORT_HEADER_BYTES = 24n;
/** Of the first page of a segment. */
const LONG_HEADER_BYTES = 40n;
/** XLOG_BLCKSZ of every build that is in use. */
const PAGE_BYTES = 8_192n;

/**
 * Where a WAL record ends: pages begin with headers that its length does not count, and the next record is aligned.
 * https://www.postgresql.org/docs/current/wal-internals.html
 * @param lsn where it begins @param totalBytes its length, headers of pages left out
 */
export function recordEnd(lsn: Lsn, totalBytes: number, segmentBytes: number): Lsn {
  let position = lsn;
  let rest = BigInt(totalBytes);
  for (let room = PAGE_BYTES - (position % PAGE_BYTES); rest > room; room = PAGE_BYTES - (position % PAGE_BYTES)) {
    rest -= room;
    position += room;
    position += position % BigInt(segmentBytes) === 0n ? LONG_HEADER_BYTES : SHORT_HEADER_BYTES;
  }
  const end = position + rest;
  return end + ((ALIGNMENT - (end % ALIGNMENT)) % ALIGNMENT);
}

/** A record that ends its segment early: what comes next is in the next one. */
export function switchEnd(lsn: Lsn, totalBytes: number, segmentBytes: number): Lsn {
  return segmentCeiling(recordEnd(lsn, totalBytes, segmentBytes), segmentBytes);
}
