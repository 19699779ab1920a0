import type { BackupRecord, BaseBackupFacts } from '../../domain/backup.ts';
import type { JournalEpoch, JournalGap, JournalKind } from '../../domain/journal.ts';
import type { Dependencies } from '../dependencies.ts';

/** The epoch that was begun last; undefined before the first. */
export async function latestEpoch(deps: Dependencies, kind: JournalKind): Promise<JournalEpoch | undefined> {
  const { epochs } = await (await deps.repository()).journals.catalog(kind);
  return newestOf(epochs);
}

export function newestOf(epochs: readonly JournalEpoch[]): JournalEpoch | undefined {
  return epochs.toSorted((a, b) => a.begin.epoch - b.begin.epoch).at(-1);
}

/** What is missing between the last durable position of an epoch and where the next one begins. */
export function startGap(last: JournalEpoch, gap: Pick<JournalGap, 'code' | 'message' | 'to'>): JournalGap {
  const { kind, history } = last.begin;
  return { kind, from: { ...last.durable, history }, ...gap };
}

/** The newest physical base of a cluster. */
export async function newestBase(
  deps: Dependencies,
  systemIdentifier: string,
): Promise<{ readonly backup: BackupRecord; readonly base: BaseBackupFacts } | undefined> {
  for (const backup of await (await deps.repository()).list()) {
    const base = backup.status === 'complete' ? backup.components.postgres?.base : undefined;
    if (base?.systemIdentifier === systemIdentifier) return { backup, base };
  }
  return undefined;
}

/** The newest snapshot from which a Redis stream can go on. */
export async function newestSnapshot(
  deps: Dependencies,
): Promise<{ readonly backup: BackupRecord; readonly replid: string; readonly offset: number } | undefined> {
  for (const backup of await (await deps.repository()).list()) {
    const redis = backup.status === 'complete' ? backup.components.redis : undefined;
    if (redis?.method !== 'replication') continue;
    return { backup, replid: redis.replid, offset: redis.offset };
  }
  return undefined;
}
