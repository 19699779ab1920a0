import type { CodecMessage } from '../../contract/activities.ts';
import type { BackupInput } from '../../contract/messages.ts';
import { control } from './activity-options.ts';
import type { WorkflowProgress } from './progress.ts';

/** A backup that has its id, and that nobody lists before its manifest is written. */
export interface BegunBackup {
  readonly backupId: string;
  readonly codec: CodecMessage;
  readonly createdAt: string;
  /** Compensation: removes what was written for it. */
  readonly discard: { readonly name: string; run(): Promise<void> };
}

/** @param owner names this backup inside the run, so that a repeated step gets the same id again */
export async function beginBackup(
  progress: WorkflowProgress,
  request: BackupInput,
  owner: string,
): Promise<BegunBackup> {
  const createdAt = new Date().toISOString();
  const { backupId, codec } = await control('decide', 'take a backup id').beginBackup({ request, createdAt, owner });
  progress.concerns(backupId);
  const discard = {
    name: 'remove the unfinished backup',
    run: () => control('settle', `remove what ${backupId} left behind`).discardBackup({ backupId }),
  };
  return { backupId, codec, createdAt, discard };
}
