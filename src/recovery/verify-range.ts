import type { BackupRecord, BaseBackupFacts, Manifest, Problem } from '../domain/backup.ts';
import type { JournalKind } from '../domain/journal.ts';
import type { Operation } from '../domain/operation.ts';
import { planStreamReplay } from '../domain/stream-replay.ts';
import type { ChainPart } from '../domain/wal-chain.ts';
import { planWalReplay } from '../domain/wal-replay.ts';
import type { RepositoryReader } from '../repository/repository.ts';
import { journalProblem } from './damage.ts';
import { type RecoveryCatalog, readRecoveryCatalog } from './read-catalog.ts';

/** What an incremental backup needs of one journal, or why it is not all there. */
type Range = { readonly parts: readonly ChainPart[] } | { readonly code: string; readonly message: string };

/** Which journals an incremental backup stands on; none for a full one. */
export function journalsOf({ kind, components }: Pick<BackupRecord, 'kind' | 'components'>): JournalKind[] {
  if (kind === 'full') return [];
  return (['postgres', 'redis'] as const).filter((name) => components[name]?.journal !== undefined);
}

/** Reads back every byte that an incremental backup needs of a journal, from its full backup to its own position. */
export async function verifyJournalRange(
  repository: Pick<RepositoryReader, 'list' | 'load' | 'journals'>,
  wanted: { readonly backupId: string; readonly kind: JournalKind },
  operation: Operation,
): Promise<Problem[]> {
  const { backupId, kind } = wanted;
  const manifest = await repository.load(backupId);
  const parent = await repository.load(manifest.parentId ?? backupId);
  const catalog = await readRecoveryCatalog(repository, [kind], operation);
  const range = kind === 'postgres' ? walRange(catalog, manifest, parent) : streamRange(catalog, manifest, parent);
  const key = `journals/${kind}/${manifest.components[kind]?.journal?.history ?? ''}`;
  const known = catalog.problems.filter((problem) => problem.key.startsWith(`journals/${kind}/`));
  if ('code' in range) return [...known, { backupId, key, ...range }];
  return [...known, ...(await readBack(repository, { backupId, parts: range.parts }, operation))];
}

function walRange({ postgres, histories }: RecoveryCatalog, { recoveryPoint }: Manifest, parent: Manifest): Range {
  const base: BaseBackupFacts | undefined = parent.components.postgres?.base;
  const lsn = recoveryPoint.postgres?.lsn;
  if (base === undefined || lsn === undefined) return noBase(parent.id);
  const plan = planWalReplay(postgres, { base, target: { lsn }, histories });
  if (!plan.found) return { code: plan.code, message: plan.message };
  return { parts: [...plan.histories, ...plan.segments.flatMap((segment) => segment.parts)] };
}

function streamRange({ redis }: RecoveryCatalog, { recoveryPoint }: Manifest, parent: Manifest): Range {
  const snapshot = parent.components.redis;
  const offset = recoveryPoint.redis?.offset;
  if (snapshot === undefined || offset === undefined) return noBase(parent.id);
  const plan = planStreamReplay(redis, { ...snapshot, timeMs: Date.parse(snapshot.snapshotAt) });
  if (plan.offset >= offset) return { parts: plan.parts.filter(({ from }) => from < offset) };
  return { code: 'JOURNAL_GAP', message: `the journal goes without a hole to ${plan.offset}, not to ${offset}` };
}

function noBase(parentId: string): Range {
  return { code: 'RESTORE_COMPONENT_MISSING', message: `${parentId} has nothing that could be replayed on` };
}

async function readBack(
  { journals }: Pick<RepositoryReader, 'journals'>,
  { backupId, parts }: { readonly backupId: string; readonly parts: readonly ChainPart[] },
  operation: Operation,
): Promise<Problem[]> {
  const problems: Problem[] = [];
  let bytes = 0;
  for (const { epoch, entry } of parts) {
    const { key } = entry;
    try {
      for await (const chunk of journals.read(epoch, entry, operation) as AsyncIterable<Buffer>) {
        bytes += chunk.length;
        operation.onProgress({ phase: 'verifying', object: key, bytes });
      }
    } catch (error) {
      operation.signal.throwIfAborted();
      problems.push({ ...journalProblem(key, error), backupId });
    }
  }
  return problems;
}
