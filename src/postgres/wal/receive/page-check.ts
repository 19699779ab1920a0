/**
 * WAL as PostgreSQL writes it begins every page with a header that says what the page is: bytes that were mixed up on the
 * way pass every check of positions and sizes, and are found here. Layout: src/include/access/xlog_internal.h.
 */
import { LifeboatError } from '../../../domain/errors.ts';
import { formatLsn, type Lsn } from '../../../domain/lsn.ts';
import { timelineAt, type TimelineHistory } from '../../../domain/timeline.ts';
import { LONG_HEADER_BYTES, readLongHeader, SHORT_HEADER_BYTES, type LongHeader } from '../files/page-header.ts';

export interface PageExpectations {
  readonly systemIdentifier: string;
  readonly segmentBytes: number;
  readonly history: TimelineHistory;
}

/** Bytes from `start` on, which is the start of a page. */
export interface WalRange {
  readonly bytes: Buffer;
  readonly start: Lsn;
}

export interface PageCheck {
  /** Looks at the header of every page in the range; ranges come in order. @throws LifeboatError JOURNAL_STREAM_DAMAGED, JOURNAL_HISTORY_MISMATCH */
  check(range: WalRange): void;
  /** Known once the first page was seen. */
  readonly pageBytes: number;
}

const PAGE_ADDRESS_OFFSET = 8;
const DEFAULT_PAGE_BYTES = 8_192;

export function createPageCheck(expect: PageExpectations): PageCheck {
  /** Of the segment at hand; the first of a stream fixes magic and byte order for all. */
  let header: LongHeader | undefined;
  /** After a switch to a new segment the rest of the old one is zeros. */
  let zeros = false;

  const checkPage = (page: Buffer, lsn: Lsn): void => {
    const first = lsn % BigInt(expect.segmentBytes) === 0n;
    // Only the last page of a range can be that short; it is looked at again when more of it is there.
    if (page.length < (first ? LONG_HEADER_BYTES : SHORT_HEADER_BYTES)) return;
    if (first) zeros = false;
    if (!first && (zeros || page.readUInt16LE(0) === 0)) {
      if (!isZero(page)) throw damaged(lsn, 'a page after the end of its segment is not empty');
      zeros = true;
      return;
    }
    if (first) header = checkFirst(page, lsn, { ...expect, ...(header === undefined ? {} : { before: header }) });
    if (header === undefined) throw damaged(lsn, 'the stream does not begin with a segment');
    checkHeader(page, lsn, header);
  };
  const checkHeader = (page: Buffer, lsn: Lsn, { magic, littleEndian }: LongHeader): void => {
    const view = new DataView(page.buffer, page.byteOffset, SHORT_HEADER_BYTES);
    if (view.getUint16(0, littleEndian) !== magic) throw damaged(lsn, 'a page header of another version, or none');
    const address = view.getBigUint64(PAGE_ADDRESS_OFFSET, littleEndian);
    if (address !== lsn) throw damaged(lsn, `the page header says ${formatLsn(address)}`);
    const timeline = view.getUint32(4, littleEndian);
    const expected = timelineAt(expect.history, lsn);
    if (timeline !== expected) throw damaged(lsn, `a page of timeline ${timeline}, not of ${expected}`);
  };
  return {
    get pageBytes() {
      return header?.pageBytes ?? DEFAULT_PAGE_BYTES;
    },
    check({ bytes, start }) {
      for (let offset = 0; offset < bytes.length; offset += header?.pageBytes ?? DEFAULT_PAGE_BYTES) {
        const page = bytes.subarray(offset, offset + (header?.pageBytes ?? DEFAULT_PAGE_BYTES));
        checkPage(page, start + BigInt(offset));
      }
    },
  };
}

function checkFirst(page: Buffer, lsn: Lsn, expect: PageExpectations & { readonly before?: LongHeader }): LongHeader {
  const header = readLongHeader(page);
  if (header === undefined) throw damaged(lsn, 'the segment does not begin with its header');
  const { systemIdentifier, segmentBytes, before = header } = expect;
  if (header.systemIdentifier !== systemIdentifier) {
    throw new LifeboatError(
      'JOURNAL_HISTORY_MISMATCH',
      `read WAL at ${formatLsn(lsn)}: it is of system ${header.systemIdentifier}, not of ${systemIdentifier}`,
    );
  }
  if (header.segmentBytes !== segmentBytes) throw damaged(lsn, `a segment of ${header.segmentBytes} bytes`);
  if (header.magic !== before.magic || header.pageBytes !== before.pageBytes) {
    throw damaged(lsn, 'a segment of another version than the one before');
  }
  return header;
}

const ZEROS = Buffer.alloc(65_536);

function isZero(page: Buffer): boolean {
  return page.equals(ZEROS.subarray(0, page.length));
}

function damaged(lsn: Lsn, fact: string): LifeboatError {
  return new LifeboatError('JOURNAL_STREAM_DAMAGED', `read WAL at ${formatLsn(lsn)}: ${fact}`, {
    details: { lsn: formatLsn(lsn) },
  });
}
