import { defineCommand } from '../command.ts';
import { BACKUP_OR_LATEST, required } from '../options.ts';
import { formatBytes } from '../units.ts';
import { describeBackup } from './describe-backup.ts';
import { withManager } from './run-operation.ts';

/** `backup show ID`: one backup with its objects. */
export const backupShow = defineCommand({
  name: 'backup show',
  summary: 'show one backup with its objects',
  arguments: { id: required('backup id, or latest', BACKUP_OR_LATEST) },
  options: {},
  examples: ['backup show latest', 'backup show backup-2024-01-15T10-30-00-000Z --json'],
  answers: ['backup', 'objects[]', 'objectsTotal'],
  exits: [4, 5, 7],
  run: (context, input) =>
    withManager(context, async (manager) => {
      const { backups, objects, objectsTotal } = await manager.showBackup(input.arguments.id);
      const [backup] = backups;
      const rows = objects.map((row) => [row.component, row.artifact, formatBytes(row.storedBytes), row.key]);
      return {
        json: { backup, objects, objectsTotal },
        text: async () =>
          [
            backup === undefined ? '' : describeBackup(backup),
            '',
            await context.output.table(['component', 'artifact', 'stored', 'key'], rows),
            ...(objectsTotal > objects.length ? [`… and ${objectsTotal - objects.length} more`] : []),
          ].join('\n'),
      };
    }),
});
