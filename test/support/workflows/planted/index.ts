import { workflowInfo } from '@temporalio/workflow';
import type { BackupInput, BackupResult } from '../../../../src/contract/messages.ts';
import { control, data } from '../../../../src/workflows/support/activity-options.ts';

/**
 * A backup workflow with a planted change: it copies one database after the other instead of both at once. Replay of any
 * recorded backup must notice.
 */
export async function backupWorkflow(input: BackupInput): Promise<BackupResult> {
  await control('decide', 'connect').surveySources(input);
  const owner = workflowInfo().runId;
  const { backupId, codec } = await control('decide', 'take an id').beginBackup({
    request: input,
    createdAt: '',
    owner,
  });
  const postgres = await data('PostgreSQL').copyPostgres({ backupId, codec });
  const redis = await data('Redis').copyRedis({ backupId, codec, method: 'replication' });
  const publish = { backupId, codec, createdAt: '', request: input, copies: [postgres, redis], warnings: [] };
  return { backup: await control('settle', 'publish').publishBackup(publish), warnings: [] };
}
