import { z } from 'zod';
import type { Manifest } from '../../domain/backup.ts';
import type { RepositoryContext, WriterContext } from '../context.ts';
import { holdKey } from '../layout.ts';
import { isRecordDamaged, readRecord, type RecordPlace, writeRecord } from './signed-record.ts';
import type { ChangeHolds } from './repository-cleanup.ts';

/** `holds/<backupId>.json`: what holds a backup, in place of what its manifest says; the manifest cannot be changed. */
const HOLDS = z.looseObject({
  version: z.literal(1),
  repositoryId: z.string(),
  group: z.string(),
  backupId: z.string(),
  holds: z.array(z.string()),
  changedAt: z.iso.datetime(),
  changedBy: z.string(),
});
type Holds = z.infer<typeof HOLDS>;

function holdPlace(backupId: string): RecordPlace<Holds> {
  return { key: holdKey(backupId), shape: HOLDS, isOf: (record) => record.backupId === backupId };
}

/** What holds a backup now. A record that cannot be trusted releases nothing: it holds, and says why. */
export async function readHolds(
  context: RepositoryContext,
  { id, holds }: Pick<Manifest, 'id' | 'holds'>,
): Promise<readonly string[]> {
  try {
    return (await readRecord(context, holdPlace(id)))?.holds ?? holds;
  } catch (error) {
    if (!isRecordDamaged(error)) throw error;
    return [...holds, `the record of its holds cannot be trusted: ${error.message}`];
  }
}

export async function writeHolds(context: WriterContext, backupId: string, change: ChangeHolds): Promise<void> {
  const { changedAt, changedBy } = change;
  const holds = [...new Set(change.holds)];
  await writeRecord(context, holdPlace(backupId), {
    version: 1,
    repositoryId: context.id,
    group: context.group,
    backupId,
    holds,
    changedAt,
    changedBy,
  });
}

/** @throws LifeboatError RECORD_DAMAGED */
export async function checkHolds(context: RepositoryContext, backupId: string): Promise<void> {
  await readRecord(context, holdPlace(backupId));
}
