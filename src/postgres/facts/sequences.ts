import type { Session } from '../connection/session.ts';
import { ofExtension, SYSTEM_SCHEMA } from './catalog-facts.ts';
import type { SequenceState } from './database-facts.ts';

const SEQUENCES = `
  SELECT format('%I.%I', n.nspname, c.relname) AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE c.relkind = 'S' AND c.relpersistence <> 't' AND NOT (${SYSTEM_SCHEMA}) AND NOT ${ofExtension('pg_class', 'c.oid')} ORDER BY 1`;

const BATCH_SEQUENCES = 200;

/** State of every sequence now: sequences are not transactional, a snapshot does not hold them still. */
export async function readSequences(session: Session): Promise<Map<string, SequenceState>> {
  const names = (await session.query<{ name: string }>(SEQUENCES)).map((row) => row.name);
  const states = new Map<string, SequenceState>();
  for (let start = 0; start < names.length; start += BATCH_SEQUENCES) {
    const batch = names.slice(start, start + BATCH_SEQUENCES);
    const reads = batch.map(
      (name, place) => `SELECT ${place} AS place, last_value::text AS value, is_called AS called FROM ${name}`,
    );
    const rows = await session.query<SequenceState & { place: number }>(reads.join(' UNION ALL '));
    for (const { place, value, called } of rows) states.set(batch[place] ?? '', { value, called });
  }
  return states;
}

/**
 * Is `restored` what a dump that read the sequence between `before` and `after` may hold? True for any value between the
 * two: which one was read is not known. Undefined where the sequence was moved backwards or around meanwhile.
 */
export function sequenceFits(
  restored: SequenceState,
  before: SequenceState,
  after: SequenceState,
): boolean | undefined {
  if (before.value === after.value && before.called === after.called) {
    return restored.value === before.value && restored.called === before.called;
  }
  const [value, one, other] = [BigInt(restored.value), BigInt(before.value), BigInt(after.value)];
  const between = one <= other ? value >= one && value <= other : value >= other && value <= one;
  return between ? true : undefined;
}
