import type { RedisView } from './redis-view.ts';

type Stream = Pick<RedisView, 'replid' | 'replid2' | 'secondOffset' | 'offset'>;

/**
 * Bytes of its stream that only `old` has, once `present` was promoted from a replica of it: 0 where it has none, null where the two
 * have no common history, or none that is remembered. `second_repl_offset` is the first byte that is no longer common.
 * https://redis.io/docs/latest/operate/oss_and_stack/management/replication/
 */
export function divergedBytes(old: Stream, present: Stream): number | null {
  if (old.replid === present.replid) return Math.max(0, old.offset - present.offset);
  if (old.replid !== present.replid2) return null;
  return Math.max(0, old.offset - (present.secondOffset - 1));
}
