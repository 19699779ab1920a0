/**
 * Positions in WAL: 64 bit, as bigint, because numbers are exact to 2^53 only. Text form `16/B374D848`: the upper and
 * the lower half, hexadecimal. A segment is a file of a power of two of bytes, 1 MiB to 1 GiB.
 * https://www.postgresql.org/docs/current/datatype-pg-lsn.html
 */
export type Lsn = bigint;

const HALF = 0xffff_ffffn;

/** @returns undefined where the text is not an LSN */
export function parseLsn(text: string): Lsn | undefined {
  const match = /^([0-9A-Fa-f]{1,8})\/([0-9A-Fa-f]{1,8})$/.exec(text);
  return match === null ? undefined : (BigInt(`0x${match[1]}`) << 32n) | BigInt(`0x${match[2]}`);
}

/** An LSN from a server or from a repository: what is not one is a defect there. @throws RangeError */
export function lsnOf(text: string): Lsn {
  const lsn = parseLsn(text);
  if (lsn === undefined) throw new RangeError(`"${text}" is not an LSN`);
  return lsn;
}

export function formatLsn(lsn: Lsn): string {
  return `${(lsn >> 32n).toString(16).toUpperCase()}/${(lsn & HALF).toString(16).toUpperCase()}`;
}

/** For sorting: negative, zero, positive. */
export function compareLsn(a: string, b: string): number {
  const [first, second] = [lsnOf(a), lsnOf(b)];
  return first < second ? -1 : Number(first > second);
}

/** First byte of the segment that holds `lsn`; a position on a border belongs to the segment behind it. */
export function segmentStart(lsn: Lsn, segmentBytes: number): Lsn {
  return lsn - (lsn % BigInt(segmentBytes));
}

/** First byte of the first segment that begins at or after `lsn`. */
export function segmentCeiling(lsn: Lsn, segmentBytes: number): Lsn {
  const start = segmentStart(lsn, segmentBytes);
  return start === lsn ? lsn : start + BigInt(segmentBytes);
}

/** `000000010000000000000003`: timeline, then the number of the segment in two parts that depend on its size. */
export function segmentName(timeline: number, lsn: Lsn, segmentBytes: number): string {
  const number = lsn / BigInt(segmentBytes);
  const perHalf = 0x1_0000_0000n / BigInt(segmentBytes);
  return [BigInt(timeline), number / perHalf, number % perHalf].map(hex8).join('');
}

/** @returns undefined where the name is not one of a segment of this size */
export function parseSegmentName(
  name: string,
  segmentBytes: number,
): { readonly timeline: number; readonly lsn: Lsn } | undefined {
  const match = /^([0-9A-F]{8})([0-9A-F]{8})([0-9A-F]{8})$/.exec(name);
  if (match === null) return undefined;
  const [timeline = 0, high = 0, low = 0] = match.slice(1).map((part) => Number.parseInt(part, 16));
  const perHalf = 0x1_0000_0000 / segmentBytes;
  if (timeline === 0 || low >= perHalf) return undefined;
  return { timeline, lsn: (BigInt(high) << 32n) | (BigInt(low) * BigInt(segmentBytes)) };
}

/** A size that PostgreSQL takes for segments. */
export function isSegmentSize(bytes: number): boolean {
  return Number.isInteger(Math.log2(bytes)) && bytes >= 2 ** 20 && bytes <= 2 ** 30;
}

function hex8(value: bigint): string {
  return value.toString(16).toUpperCase().padStart(8, '0');
}
