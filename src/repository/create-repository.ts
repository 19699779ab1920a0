import type { Problem } from '../domain/backup.ts';
import { LifeboatError } from '../domain/errors.ts';
import type { Operation } from '../domain/operation.ts';
import type { Signer } from '../encryption/signer.ts';
import { claimAttempt } from './backup/attempts.ts';
import { openBackupKey } from './backup/backup-key.ts';
import { beginBackup, requireBegun } from './backup/begin.ts';
import { readComponentIndex, writeComponentIndex } from './backup/component-index.ts';
import { createCleanup } from './cleanup/cleanup.ts';
import type { WriterContext } from './context.ts';
import { discardBackup } from './backup/discard.ts';
import { createJournals } from './journals/create-journals.ts';
import { createKeys } from './keys/create-keys.ts';
import { OBJECT_BYTES, writeArtifact } from './objects/artifact-writer.ts';
import type { ObjectCodec } from './objects/object-writer.ts';
import { createReader, type OpenRepository } from './open-repository.ts';
import { createPlanRecords } from './plan-records.ts';
import { publishBackup } from './backup/publish.ts';
import { replicateJournals } from './replicate/replicate-journals.ts';
import { replicate } from './replicate/replicate.ts';
import type { Repository, WriteArtifact } from './repository.ts';
import { keepRestore } from './restore-records.ts';
import { ensureRepositoryFile } from './repository-file.ts';
import { canonicalJson } from './canonical-json.ts';
import { createReports } from './reports/reports.ts';
import { recordVerification, type Verified } from './read/verified-mark.ts';
import { verifyBackup } from './read/verify-backup.ts';

/** One artifact alone keeps the processors busy with three blocks; of several, two each do, and save memory. */
const BLOCKS_ALONE = 3;
const BLOCKS_TOGETHER = 2;

export interface CreateRepository extends OpenRepository {
  readonly group: string;
  /** Signs manifests; its own public key is trusted, too. Without one manifests are not signed. */
  readonly signer?: Signer;
  /** Written into manifests: `lifeboat/1.0.0`. */
  readonly tool?: string;
  /** Input bytes of one object; tests take less than the 256 MiB. */
  readonly objectBytes?: number;
}

/** Opens the repository of a store to read and write, and makes it where there is none. REPOSITORY_* errors. */
export async function createRepository(options: CreateRepository): Promise<Repository> {
  const { store, signer } = options;
  const { repositoryId, group } = await ensureRepositoryFile(store, options.group);
  const context: WriterContext = {
    store,
    id: repositoryId,
    group,
    keyring: options.keyring,
    trustedKeys: [...(options.trustedKeys ?? []), ...(signer === undefined ? [] : [signer.publicKey])],
    signer,
    objectBytes: options.objectBytes ?? OBJECT_BYTES,
    tool: options.tool ?? 'lifeboat',
  };
  let writers = 0;
  return {
    ...createReader(context),
    journals: createJournals(context),
    cleanup: createCleanup(context),
    plans: createPlanRecords(context),
    keys: createKeys(context),
    reports: createReports(context),
    space: async () => (await store.space?.()) ?? null,
    beginBackup: async (request) => beginBackup(context, request),
    claimAttempt: async (backupId, component) => claimAttempt(store, backupId, component),
    async writeArtifact(request, source, operation) {
      const codec = await codecOf(context, request);
      const { objectBytes } = context;
      writers += 1;
      try {
        const blocksInFlight = writers === 1 ? BLOCKS_ALONE : BLOCKS_TOGETHER;
        return await writeArtifact({ store, codec, objectBytes, blocksInFlight }, request, { source, operation });
      } finally {
        writers -= 1;
      }
    },
    writeComponent: async ({ takesOver = false, ...index }) => writeComponentIndex(store, index, { takesOver }),
    readComponent: async (backupId, ref) => readComponentIndex(store, backupId, ref),
    publish: async (request) => publishBackup(context, request),
    keepRestore: async (record) => keepRestore(store, record),
    discard: async (backupId) => discardBackup(store, backupId),
    replicate: async (to, request, operation) => replicate(context, to, { ...request, operation }),
    recordRead: async (manifest, startedAt) =>
      mark(context, { manifest, bytes: canonicalJson(manifest), startedAt, problems: 0 }),
    replicateJournals: async (to, pass) => replicateJournals(context, to, pass),
    verify: async (idOrLatest, operation) => verifyAndMark(context, idOrLatest, operation),
  };
}

/** A producer that compressed already is not compressed again: it costs time and saves nothing. */
async function codecOf(context: WriterContext, request: WriteArtifact): Promise<ObjectCodec> {
  const { codec, backupId } = request;
  await requireBegun(context.store, backupId, codec);
  return {
    compression: request.producerCompression === undefined ? codec.compression : 'none',
    compressionLevel: codec.compressionLevel,
    dataKey: codec.encryption === 'none' ? undefined : await openBackupKey(context, backupId),
  };
}

async function verifyAndMark(context: WriterContext, idOrLatest: string, operation: Operation): Promise<Problem[]> {
  const startedAt = new Date().toISOString();
  const { trusted, problems } = await verifyBackup(context, idOrLatest, operation);
  if (trusted === undefined) return problems;
  await mark(context, { ...trusted, startedAt, problems: problems.length });
  return problems;
}

async function mark(context: WriterContext, verified: Verified): Promise<void> {
  await recordVerification(context, verified).catch((error: unknown) => {
    // A store that we may only read keeps no ledger; what was found is true all the same.
    if (!(error instanceof LifeboatError && error.code === 'STORE_READ_ONLY')) throw error;
  });
}
