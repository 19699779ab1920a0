import type { UndoRestoreResult } from '../../contract/messages.ts';
import type { CommandResult } from '../command.ts';
import { defineCommand } from '../command.ts';
import { flag, required } from '../options.ts';
import { runOperation } from './run-operation.ts';

/** `restore undo RUN`: swaps back what a restore replaced. */
export const restoreUndo = defineCommand({
  name: 'restore undo',
  summary: 'bring back what a restore replaced',
  description:
    'The database, the tables and the keys that the restore replaced are what they were again; what was written to the restored ones since is gone. A restore of single tables beside the live ones has replaced nothing, which is said.',
  arguments: { run: required('id of the restore, from its answer') },
  options: {
    dryRun: flag('only say what would be done'),
    detach: flag('start it and print the workflow id instead of waiting'),
  },
  examples: [
    'restore undo restore-2024-01-15T11-02-00-000Z',
    'restore undo restore-2024-01-15T11-02-00-000Z --dry-run',
  ],
  answers: [
    'restored {postgres, redis, selection {tables, keys, left[]}}',
    'checks[]',
    'dryRun',
    'steps[]',
    'workflowId',
    'runId',
  ],
  exits: [2, 5, 6, 7, 130],
  run: (context, { arguments: { run }, options: { dryRun, detach } }) =>
    runOperation(context, { detach, start: (manager) => manager.startUndo(run, { dryRun }), answer: describe }),
});

function describe(result: UndoRestoreResult): CommandResult {
  const { restoreId, dryRun = false, steps = [], restored } = result;
  const { postgres, redis, selection } = restored;
  const json = { ...result, dryRun };
  if (dryRun)
    return { json, text: () => [`${restoreId} would be undone:`, ...steps.map((step) => `  ${step}`)].join('\n') };
  const lines = selection
    ? describeSelection(selection)
    : [
        postgres ? `  postgres  ${postgres.database} is what it was` : '  postgres  nothing was replaced',
        redis ? `  redis     ${redis.keys} keys from ${redis.from}` : '  redis     nothing was replaced',
      ];
  return { json, text: () => [`${restoreId} is undone`, ...lines].join('\n') };
}

function describeSelection({ tables, keys, left }: NonNullable<UndoRestoreResult['restored']['selection']>): string[] {
  return [
    ...(tables ? [`  postgres  ${tables.back.join(', ')} of ${tables.database}: what they were`] : []),
    ...(keys
      ? [
          `  redis     ${keys.patterns.join(', ')}: ${keys.from === null ? 'removed' : `${keys.keys} keys from ${keys.from}`}`,
        ]
      : []),
    ...left.map((step) => `  replaced nothing, and stays: ${step}`),
  ];
}
