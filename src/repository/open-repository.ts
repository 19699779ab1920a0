import type { Keyring } from '../encryption/keyring.ts';
import type { PublicKey } from '../encryption/minisign.ts';
import type { ObjectStore } from '../storage/object-store.ts';
import type { RepositoryContext } from './context.ts';
import { createJournalReader } from './journals/create-journals.ts';
import { createKeyReader } from './keys/create-keys.ts';
import { listBackups, recordOf } from './read/list-backups.ts';
import { loadManifest, resolveBackupId } from './manifest/load-manifest.ts';
import { readArtifact } from './read/read-artifact.ts';
import type { RepositoryReader } from './repository.ts';
import { loadRestore } from './restore-records.ts';
import { readRepositoryFile, requireRepository } from './repository-file.ts';
import { verifyBackup } from './read/verify-backup.ts';
import { verifyChain } from './read/verify-chain.ts';

export interface OpenRepository {
  readonly store: ObjectStore;
  /** REPOSITORY_GROUP_MISMATCH when the repository holds another one; not checked where undefined. */
  readonly group?: string;
  readonly keyring?: Keyring;
  /** Keys whose signature counts. Without any, manifests load unchecked and are shown as not signed. */
  readonly trustedKeys?: readonly PublicKey[];
}

/** Opens a repository to read. Writes nothing at all. REPOSITORY_* errors. */
export async function openRepository(options: OpenRepository): Promise<RepositoryReader> {
  const { repositoryId, group } = await readRepositoryFile(options.store, options.group);
  return createReader({
    store: options.store,
    id: repositoryId,
    group,
    keyring: options.keyring,
    trustedKeys: options.trustedKeys ?? [],
  });
}

export function createReader(context: RepositoryContext): RepositoryReader {
  return {
    id: context.id,
    group: context.group,
    location: context.store.url,
    list: async () => {
      const backups = await listBackups(context);
      if (backups.length === 0) await requireRepository(context, 'list backups');
      return backups;
    },
    load: async (idOrLatest) => (await loadManifest(context, await resolveBackupId(context, idOrLatest))).manifest,
    record: async (manifest) => recordOf(context, manifest),
    readArtifact: (manifest, component, name, operation) =>
      readArtifact(context, { manifest, component, name }, operation),
    loadRestore: async (restoreId) => loadRestore(context.store, restoreId),
    verify: async (idOrLatest, operation) => (await verifyBackup(context, idOrLatest, operation)).problems,
    verifyChain: async () => verifyChain(context),
    journals: createJournalReader(context),
    keys: createKeyReader(context),
  };
}
