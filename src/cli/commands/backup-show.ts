import { defineCommand } from '../command.ts';
import type { CatalogResult } from '../../contract/messages.ts';
import type { Needed } from '../../domain/lineage.ts';
import { BACKUP_OR_LATEST, required } from '../options.ts';
import { formatBytes } from '../units.ts';
import { describeBackup } from './describe-backup.ts';
import { describeCopies } from './describe-copies.ts';
import { withManager } from './run-operation.ts';

/** `backup show ID`: one backup with its objects. */
export const backupShow = defineCommand({
  name: 'backup show',
  summary: 'show one backup with its objects',
  arguments: { id: required('backup id, or latest', BACKUP_OR_LATEST) },
  options: {},
  examples: ['backup show latest', 'backup show backup-2024-01-15T10-30-00-000Z --json'],
  answers: [
    'backup {…, copies[] {target, state, verifiedAt}}',
    'lineage {ids[], missing[]}',
    'retention {keep, reasons[] {code, message}}',
    'objects[]',
    'objectsTotal',
  ],
  exits: [4, 5, 7],
  run: (context, input) =>
    withManager(context, async (manager) => {
      const {
        backups,
        objects,
        objectsTotal,
        lineage = null,
        retention = null,
      } = await manager.showBackup(input.arguments.id);
      const [backup] = backups;
      const rows = objects.map((row) => [row.component, row.artifact, formatBytes(row.storedBytes), row.key]);
      return {
        json: { backup, lineage, retention, objects, objectsTotal },
        text: async () =>
          [
            backup === undefined ? '' : describeBackup(backup),
            ...(backup === undefined ? [] : describeCopies(backup)),
            ...describeLineage(lineage),
            ...describeRetention(retention),
            '',
            await context.output.table(['component', 'artifact', 'stored', 'key'], rows),
            ...(objectsTotal > objects.length ? [`… and ${objectsTotal - objects.length} more`] : []),
          ].join('\n'),
      };
    }),
});

/** `  kept      it is younger than 30 days`; of one that a cleanup has removed, that it is so. */
function describeRetention(retention: CatalogResult['retention'] | null): string[] {
  if (retention == null)
    return ['  removed   by a cleanup; `lifeboat backup hold` brings it back while its objects are there'];
  return retention.reasons.map(({ message }) => `  ${retention.keep ? 'kept    ' : 'not kept'}  ${message}`);
}

/** `  needs     backup-… → backup-… → backup-…`, and what of it is not there. */
function describeLineage(lineage: Needed | null): string[] {
  if (lineage === null || lineage.ids.length < 2) return [];
  const missing = lineage.missing.map((id) => `  missing   ${id}`);
  return [`  needs     ${lineage.ids.join(' → ')}`, ...missing];
}
