import { readDumpInPieces } from '../dump/stream/read-dump.ts';
import type { RestoreItem } from '../dump/stream/format.ts';
import { rdbItems } from '../import/rdb-items.ts';
import { IN_PIECES_BYTES } from '../rdb/capture.ts';
import type { KeySource } from './selected-keys.ts';

/** A key of the snapshot, without its value. */
export interface KeyName {
  readonly db: number;
  readonly key: Buffer;
}

/**
 * The keys of a snapshot that are wanted, in the form RESTORE takes; no functions. The snapshot is read to its end.
 *
 * @param version the RDB version that is stamped on payloads of an RDB file
 */
export async function* wantedItems(
  source: Pick<KeySource, 'format' | 'open'>,
  version: number,
  wanted: (name: KeyName) => boolean,
): AsyncGenerator<RestoreItem, void, undefined> {
  const items =
    source.format === 'redis-rdb' ? rdbItems(source.open(), version) : readDumpInPieces(source.open(), IN_PIECES_BYTES);
  let taken = false;
  for await (const item of items) {
    if (item.kind === 'header' || item.kind === 'functions') continue;
    if (item.kind !== 'piece') taken = wanted(item);
    if (taken) yield item;
  }
}
