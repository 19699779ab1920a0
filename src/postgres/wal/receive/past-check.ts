import { createHash } from 'node:crypto';
import { LifeboatError } from '../../../domain/errors.ts';
import { lsnOf, type Lsn } from '../../../domain/lsn.ts';
import type { KnownPast } from '../wal.ts';

/** Looks at bytes from the server as they come; an error once they are not those that the journal holds. */
export type PastCheck = (at: Lsn, data: Uint8Array) => LifeboatError | undefined;

/**
 * A stream begins at the start of a segment, before the position it goes on from: what lies between was received before, and no server
 * ever writes it differently again (standbys rely on that as well). A cluster that was put back to an older state, or two that were
 * promoted from one, have the same identifier, the same timeline number and positions beyond ours; only these bytes tell.
 */
export function createPastCheck({ from, to, sha256 }: KnownPast): PastCheck {
  const [start, end] = [lsnOf(from), lsnOf(to)];
  const hash = createHash('sha256');
  let next = start;
  return (at, data) => {
    if (next >= end || at > next || at + BigInt(data.length) <= next) return undefined;
    const until = at + BigInt(data.length) < end ? data.length : Number(end - at);
    hash.update(data.subarray(Number(next - at), until));
    next = at + BigInt(until);
    if (next < end || hash.digest('hex') === sha256) return undefined;
    const message = `receive wal: the server has other bytes between ${from} and ${to} than the journal`;
    return new LifeboatError('JOURNAL_HISTORY_MISMATCH', message);
  };
}
