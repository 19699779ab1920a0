import { z } from 'zod';
import type { RepositoryContext } from '../context.ts';
import { REMOVALS_PREFIX, removalKey } from '../layout.ts';
import { mapBounded } from '../map-bounded.ts';
import { isRecordDamaged, readRecord, recordNames, type RecordPlace } from './signed-record.ts';

const RECORDS_AT_ONCE = 16;
/** Of a removal, whose rules were carried out: those of this target alone, or, absent, of the repository. */
export const SCOPE = z.literal('target').optional();
const SHA256 = z.string().regex(/^[0-9a-f]{64}$/);

/**
 * `removals/<backupId>.json`: that a backup was removed in order. From then on it is not listed; its objects go later, the record
 * stays, and with it the digest that the next manifest names.
 */
const REMOVAL = z.looseObject({
  version: z.literal(1),
  repositoryId: z.string(),
  group: z.string(),
  backupId: z.string(),
  manifestSha256: SHA256,
  previousManifest: z.looseObject({ id: z.string(), sha256: SHA256 }).nullable(),
  removedAt: z.iso.datetime(),
  reasons: z.array(z.string()),
  /** `target`: the rules of this target removed it here, and the repository may have it still. Absent: the repository removed it. */
  scope: SCOPE,
});
export type Removal = z.infer<typeof REMOVAL>;

export function removalPlace(backupId: string): RecordPlace<Removal> {
  return { key: removalKey(backupId), shape: REMOVAL, isOf: (removal) => removal.backupId === backupId };
}

/** Undefined where the backup was not removed. @throws LifeboatError RECORD_DAMAGED */
export async function readRemoval(context: RepositoryContext, backupId: string): Promise<Removal | undefined> {
  return readRecord(context, removalPlace(backupId));
}

/**
 * Those of the ids that were removed in order. A record that cannot be trusted hides nothing: whoever could write one without the key
 * could make backups invisible; `verifyChain` names it.
 */
export async function hiddenAmong(context: RepositoryContext, ids: readonly string[]): Promise<ReadonlySet<string>> {
  const recorded = await recordNames(context, REMOVALS_PREFIX);
  const asked = ids.filter((id) => recorded.has(id));
  const hidden = await mapBounded(asked, RECORDS_AT_ONCE, async (id) => {
    try {
      return (await readRemoval(context, id)) === undefined ? [] : [id];
    } catch (error) {
      if (isRecordDamaged(error)) return [];
      throw error;
    }
  });
  return new Set(hidden.flat());
}
