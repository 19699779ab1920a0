import type { JournalKind } from '../../domain/journal.ts';
import type { ObjectStore } from '../../storage/object-store.ts';
import { backupKeyPlace } from '../backup/backup-key.ts';
import { epochKeyPlace } from '../journals/epoch-key.ts';
import { type EpochPlace, epochOf, isHistory } from '../journals/journal-keys.ts';
import { isBackupId, KEYS_PREFIX } from '../layout.ts';
import type { KeyPlace } from './wrapped-key.ts';

const BACKUP_KEY = /^keys\/([^/]+)\.json$/;
const EPOCH_KEY = /^keys\/journals\/(postgres|redis)\/([^/]+)\/([^/]+)\.json$/;

/** A wrapped key, and what it is of. */
export type ListedKey = KeyPlace & { readonly of: { readonly backupId: string } | { readonly epoch: EpochPlace } };

/** Every wrapped key there is, by name. What lies there and is none of ours is passed over: nothing names it, nobody reads it. */
export async function* listKeys(store: ObjectStore): AsyncGenerator<ListedKey> {
  for await (const { key } of store.list(KEYS_PREFIX)) {
    const listed = parseKey(key);
    if (listed !== undefined) yield listed;
  }
}

export function keyOfBackup(backupId: string): ListedKey {
  return { ...backupKeyPlace(backupId), of: { backupId } };
}

export function keyOfEpoch(epoch: EpochPlace): ListedKey {
  return { ...epochKeyPlace(epoch), of: { epoch } };
}

function parseKey(key: string): ListedKey | undefined {
  const backupId = BACKUP_KEY.exec(key)?.[1];
  if (backupId !== undefined && isBackupId(backupId)) return keyOfBackup(backupId);
  const [, kind, history = '', folder = ''] = EPOCH_KEY.exec(key) ?? [];
  const epoch = epochOf(folder);
  return isKind(kind) && isHistory(kind, history) && epoch !== undefined && epoch > 0
    ? keyOfEpoch({ kind, history, epoch })
    : undefined;
}

function isKind(text: string | undefined): text is JournalKind {
  return text === 'postgres' || text === 'redis';
}
