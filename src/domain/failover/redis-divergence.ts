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

/** Does `replica` have all that `master` has, now, by the same history? */
export function follows(replica: RedisView, master: RedisView): boolean {
  return replica.role === 'replica' && replica.link?.up === true && replica.replid === master.replid;
}

/**
 * What was lost with `old` when `present` took over. One that follows has nothing of its own: the two are asked one after the other, and its
 * offset is then ahead of a master's that takes writes.
 */
export function lostBytes(old: RedisView, present: RedisView): number | null {
  return follows(old, present) ? 0 : divergedBytes(old, present);
}
