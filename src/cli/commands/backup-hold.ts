import type { HoldResult } from '../../contract/cleanup.ts';
import { LifeboatError } from '../../domain/errors.ts';
import { defineCommand } from '../command.ts';
import type { CommandResult } from '../command.ts';
import { BACKUP_OR_LATEST, required, value } from '../options.ts';
import { runOperation } from './run-operation.ts';

/** `backup hold ID --reason TEXT`: pins a backup against cleanup. */
export const backupHold = defineCommand({
  name: 'backup hold',
  summary: 'keep a backup, and all that it stands on, until it is released',
  description:
    'A backup that a cleanup has removed, and whose objects are still there (retention.grace), is brought back.',
  arguments: { id: required('backup id, or latest', BACKUP_OR_LATEST) },
  options: { reason: value('<text>', 'why it is kept; shown wherever the backup is') },
  examples: ['backup hold backup-2024-01-15T10-30-00-000Z --reason "audit 2024-17"'],
  answers: ['backup', 'recalled[]', 'workflowId', 'runId', 'durationMs'],
  exits: [4, 5, 6, 7, 130],
  run: (context, { arguments: { id }, options }) => {
    const reason = options.reason?.trim() ?? '';
    if (reason === '') {
      throw new LifeboatError('USAGE_INVALID', 'backup hold: no --reason', {
        hint: 'say why it is kept: whoever wants to release it must know whom to ask',
      });
    }
    return runOperation(context, {
      detach: false,
      start: (manager) => manager.startHold(id, reason),
      answer,
    });
  },
});

/** `backup release ID`: takes every hold of a backup away. */
export const backupRelease = defineCommand({
  name: 'backup release',
  summary: 'take every hold of a backup away, so that cleanup may remove it',
  arguments: { id: required('backup id, or latest', BACKUP_OR_LATEST) },
  options: {},
  examples: ['backup release backup-2024-01-15T10-30-00-000Z'],
  answers: ['backup', 'recalled[]', 'workflowId', 'runId', 'durationMs'],
  exits: [4, 5, 6, 7, 130],
  run: (context, { arguments: { id } }) =>
    runOperation(context, { detach: false, start: (manager) => manager.startHold(id, null), answer }),
});

function answer({ backup, recalled }: HoldResult): CommandResult {
  return {
    json: { backup, recalled },
    text: () =>
      [
        backup.holds.length === 0 ? `${backup.id} is not held` : `${backup.id} is held: ${backup.holds.join('; ')}`,
        ...recalled.map((id) => `  ${id} is listed again`),
      ].join('\n'),
  };
}
