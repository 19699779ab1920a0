import { LifeboatError } from '../../domain/errors.ts';

/** `0/16B3748` as a number of bytes. */
export function parseLsn(lsn: string): bigint {
  const match = /^([0-9A-F]{1,8})\/([0-9A-F]{1,8})$/i.exec(lsn);
  if (match === null) throw new LifeboatError('POSTGRES_BASE_DAMAGED', `"${lsn}" is no WAL position`);
  return (BigInt(`0x${match[1]}`) << 32n) | BigInt(`0x${match[2]}`);
}

export function formatLsn(position: bigint): string {
  return `${hex(position >> 32n)}/${hex(position & 0xffffffffn)}`;
}

function hex(value: bigint): string {
  return value.toString(16).toUpperCase();
}

export interface WalSegment {
  readonly timeline: number;
  /** First byte. */
  readonly from: bigint;
}

/** XLogFileName() and XLogFromFileName() of xlog_internal.h: timeline, and the segment's number in two parts. */
export function parseSegmentName(name: string, walSegmentBytes: number): WalSegment {
  const [timeline = 0n, log = 0n, segment = 0n] = [0, 8, 16].map((at) => BigInt(`0x${name.slice(at, at + 8)}`));
  return { timeline: Number(timeline), from: (log << 32n) + segment * BigInt(walSegmentBytes) };
}

export function segmentName({ timeline, from }: WalSegment, walSegmentBytes: number): string {
  return part(BigInt(timeline)) + part(from >> 32n) + part((from & 0xffffffffn) / BigInt(walSegmentBytes));
}

function part(value: bigint): string {
  return hex(value).padStart(8, '0');
}
