import type { BackupRecord, ComponentName, Problem } from '../domain/backup.ts';
import type { Operation } from '../domain/operation.ts';
import type { WindowSources } from '../domain/recovery-window.ts';
import type { TimelineHistory } from '../domain/timeline.ts';
import type { ChainPart } from '../domain/wal-chain.ts';
import { readHistories } from '../postgres/wal/files/assemble-wal.ts';
import type { RepositoryReader } from '../repository/repository.ts';
import { journalProblem } from './damage.ts';

/** What a recovery window is made from, and what of the journals could not be trusted. */
export interface RecoveryCatalog extends WindowSources {
  readonly problems: readonly Problem[];
}

/**
 * Everything that a recovery can stand on, as the repository says it now. `stored`: of every component that a backup holds, for
 * whoever has no configuration.
 */
export async function readRecoveryCatalog(
  repository: Pick<RepositoryReader, 'list' | 'journals'>,
  wanted: readonly ComponentName[] | 'stored',
  operation: Operation,
): Promise<RecoveryCatalog> {
  const { journals } = repository;
  const [backups, postgres, redis] = await Promise.all([
    repository.list(),
    journals.catalog('postgres'),
    journals.catalog('redis'),
  ]);
  const parts: ChainPart[] = postgres.epochs.flatMap((epoch) => epoch.entries.map((entry) => ({ epoch, entry })));
  const histories = new Map<string, TimelineHistory>();
  const problems = [...postgres.problems, ...redis.problems];
  for (const part of parts.filter(({ entry }) => entry.kind === 'history')) {
    try {
      const read = await readHistories([part], ({ epoch, entry }) => journals.read(epoch, entry, operation));
      for (const [key, history] of read) histories.set(key, history);
    } catch (error) {
      // Without the file nothing is found on the timeline that it leads to; what lies before it is as good as ever.
      problems.push(journalProblem(part.entry.key, error));
    }
  }
  const components = wanted === 'stored' ? storedComponents(backups) : wanted;
  return { backups, components, postgres: postgres.epochs, redis: redis.epochs, histories, problems };
}

function storedComponents(backups: readonly BackupRecord[]): ComponentName[] {
  return (['postgres', 'redis'] as const).filter((name) =>
    backups.some(({ status, components }) => status === 'complete' && components[name] !== undefined),
  );
}
