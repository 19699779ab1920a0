import { lsnOf, type Lsn } from '../../domain/lsn.ts';
import { recordEnd, switchEnd } from '../../domain/failover/wal-record.ts';
import { textLines } from '../../platform/text-lines.ts';

/** One record, as `pg_waldump` describes it. */
export interface WalRecord {
  readonly start: Lsn;
  readonly end: Lsn;
  /** Of a commit: ISO 8601 in milliseconds. */
  readonly committedAt: string | null;
}

/** `rmgr: Transaction len (rec/tot):     34/    34, tx:        747, lsn: 0/01E3A5C8, prev 0/01E3A590, desc: COMMIT 2026-11-23 10:31:00.123456 UTC` */
const RECORD = /^rmgr: (\S+)\s+len \(rec\/tot\):\s*\d+\/\s*(\d+),.* lsn: ([0-9A-F]+\/[0-9A-F]+), .*desc: (\S+)/;
const COMMIT = /desc: COMMIT(?:_PREPARED)? (?:\d+: )?(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d(?:\.\d{1,3})?)\d* UTC/;

/** The records of `pg_waldump`'s output, as they come; other lines are passed over. @param segmentBytes of the cluster */
export async function* readWalLines(
  output: AsyncIterable<Uint8Array>,
  segmentBytes: number,
): AsyncGenerator<WalRecord, void, undefined> {
  for await (const line of textLines(output)) {
    const record = parseWalLine(line, segmentBytes);
    if (record !== undefined) yield record;
  }
}

export function parseWalLine(line: string, segmentBytes: number): WalRecord | undefined {
  const [, manager, total = '', at = '', action] = RECORD.exec(line) ?? [];
  if (manager === undefined) return undefined;
  const start = lsnOf(at);
  const endOf = manager === 'XLOG' && action === 'SWITCH' ? switchEnd : recordEnd;
  const [, day, time] = manager === 'Transaction' ? (COMMIT.exec(line) ?? []) : [];
  const committedAt = day === undefined ? null : new Date(`${day}T${time}Z`).toISOString();
  return { start, end: endOf(start, Number(total), segmentBytes), committedAt };
}
