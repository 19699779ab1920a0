import type { BackupRecord, ComponentName } from '../../domain/backup.ts';
import type { CopyResult, SourceSurvey } from '../../contract/activities.ts';
import type { BackupInput, BackupResult } from '../../contract/messages.ts';
import { control, data } from './activity-options.ts';
import { beginBackup } from './begin-backup.ts';
import { allOrCancel } from './cancellation.ts';
import { orCompensate } from './compensation.ts';
import type { WorkflowProgress } from './progress.ts';
import { takeIncremental } from './take-incremental.ts';

/**
 * Takes one backup: look, take an id, copy both databases at once, publish. What fails before the manifest is written is
 * removed again; nothing is listed that is not complete.
 *
 * @param owner names this backup inside the run, so that a repeated step gets the same id again
 */
export async function takeBackup(progress: WorkflowProgress, asked: BackupInput, owner: string): Promise<BackupResult> {
  if (asked.kind === 'full') return takeFull(progress, asked, { owner, warnings: [] });
  const taken = await takeIncremental(progress, asked, owner);
  if (taken.result !== null) return taken.result;
  const warnings = [`a full backup was taken instead of an incremental one: ${taken.reason}`];
  return takeFull(progress, { ...asked, kind: 'full' }, { owner: `${owner}/full`, warnings });
}

async function takeFull(
  progress: WorkflowProgress,
  input: BackupInput,
  { owner, warnings: before }: { readonly owner: string; readonly warnings: readonly string[] },
): Promise<BackupResult> {
  progress.enter('inspecting', 'connecting to the databases and checking versions, rights and space');
  const sources = await control('decide', 'connect to the databases').surveySources(input);

  const { backupId, codec, createdAt, discard } = await beginBackup(progress, input, owner);
  return orCompensate(progress, [discard], async () => {
    progress.enter('copying', describeSources(sources));
    const copies = await copyComponents({ backupId, codec }, sources);

    progress.enter('publishing', 'writing the signed manifest');
    const warnings = [...before, ...sources.warnings, ...copies.flatMap((copy) => copy.warnings)];
    const publish = { backupId, codec, createdAt, request: input, copies, warnings };
    const backup: BackupRecord = await control('settle', 'write the signed manifest').publishBackup(publish);
    progress.enter('done', `${backup.bytes} bytes copied, ${backup.storedBytes} bytes stored`);
    return { backup, warnings };
  });
}

type CopyTarget = Pick<Parameters<ReturnType<typeof data>['copyPostgres']>[0], 'backupId' | 'codec'>;

async function copyComponents(target: CopyTarget, sources: SourceSurvey): Promise<CopyResult[]> {
  const tasks: (() => Promise<CopyResult>)[] = [];
  const { postgres, redis } = sources;
  if (postgres !== null) {
    const summary = `PostgreSQL ${postgres.database}: ${postgres.tables} tables, ${postgres.bytes} bytes`;
    tasks.push(() => data(summary).copyPostgres(target));
  }
  if (redis !== null) {
    const summary = `Redis: ${redis.keys} keys by ${redis.method}`;
    tasks.push(() => data(summary).copyRedis({ ...target, method: redis.method }));
  }
  return allOrCancel<CopyResult[]>(tasks);
}

function describeSources(sources: SourceSurvey): string {
  const parts: Record<ComponentName, string | null> = {
    postgres: sources.postgres && `database ${sources.postgres.database} (PostgreSQL ${sources.postgres.server})`,
    redis: sources.redis && `${sources.redis.keys} keys (Redis ${sources.redis.server})`,
  };
  return Object.values(parts)
    .filter((part) => part !== null)
    .join(' and ');
}
