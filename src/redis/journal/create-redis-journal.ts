import { writeAppendOnlyDirectory } from './aof/write-append-only-directory.ts';
import { followStream } from './follow/follow-stream.ts';
import type { RedisJournal } from './journal.ts';
import { findCut } from './stream/find-cut.ts';

/** The Redis journal; it holds no connection and no state between calls. */
export function createRedisJournal(): RedisJournal {
  return { follow: followStream, findCut, writeAppendOnlyDirectory };
}
