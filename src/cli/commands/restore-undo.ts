import { defineCommand } from '../command.ts';
import { flag, required } from '../options.ts';
import { runOperation } from './run-operation.ts';

/** `restore undo RUN`: swaps back what a restore replaced. */
export const restoreUndo = defineCommand({
  name: 'restore undo',
  summary: 'bring back what a restore replaced',
  arguments: { run: required('id of the restore, from its answer') },
  options: { detach: flag('start it and print the workflow id instead of waiting') },
  examples: ['restore undo restore-2024-01-15T11-02-00-000Z'],
  answers: ['restored', 'checks[]', 'workflowId', 'runId'],
  exits: [5, 6, 7, 130],
  run: (context, input) =>
    runOperation(context, {
      detach: input.options.detach,
      start: (manager) => manager.startUndo(input.arguments.run),
      answer: (result) => {
        const { postgres, redis } = result.restored;
        return {
          json: { ...result },
          text: () =>
            [
              `${result.restoreId} is undone`,
              ...(postgres
                ? [`  postgres  ${postgres.database} is what it was`]
                : ['  postgres  nothing was replaced']),
              ...(redis ? [`  redis     ${redis.keys} keys from ${redis.from}`] : ['  redis     nothing was replaced']),
            ].join('\n'),
        };
      },
    }),
});
