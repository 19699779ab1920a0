import { createHash } from 'node:crypto';
import type { RedisFacts } from '../../domain/backup.ts';

/** Begins every replid our agent gives out: `11feb0a7` reads as lifeboat. */
const REPLID_MARK = '11feb0a7';

/**
 * The history under which a snapshot is offered to a target: the same for every attempt with the same snapshot, so that
 * a later attempt finds out from the target's `master_replid2` that the loading is done already. Never the replid of
 * the source: the target's data would then count as a continuation of the live history.
 */
export function replidOf(facts: RedisFacts): string {
  return REPLID_MARK + fingerprintOf(facts);
}

/** Stands on the target while keys are written one by one; an attempt that finds it knows that what is there is its own. */
export function markerKeyOf(facts: RedisFacts): Buffer {
  return Buffer.from(`lifeboat:restoring:${fingerprintOf(facts)}`, 'latin1');
}

function fingerprintOf(facts: RedisFacts): string {
  const { server, replid, offset, snapshotAt, keys, databases, rdbVersion } = facts;
  const identity = JSON.stringify([server, replid, offset, snapshotAt, keys, databases, rdbVersion]);
  return createHash('sha256').update(identity).digest('hex').slice(0, 32);
}
