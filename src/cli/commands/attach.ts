import { defineCommand } from '../command.ts';
import { required } from '../options.ts';
import { awaitOperation, whereabouts } from './await-operation.ts';
import { openClient } from './open-client.ts';

/** `attach ID`: follows a running operation to its end. */
export const attach = defineCommand({
  name: 'attach',
  summary: 'follow a running operation to its end',
  arguments: { id: required('workflow id') },
  options: {},
  examples: ['attach lifeboat/default'],
  answers: ['workflowId', 'runId', 'result'],
  exits: [4, 5, 7, 130],
  async run(context, input) {
    const opened = await openClient(context, { worker: 'any' });
    try {
      const { attachOperation } = await import('../../client/operation.ts');
      const started = await attachOperation<Readonly<Record<string, unknown>>>(opened.client, input.arguments.id);
      const result = await awaitOperation(context, started);
      return {
        json: { ...whereabouts(started), result },
        text: () => `${started.workflowId} has ended\n${JSON.stringify(result, null, 2)}`,
      };
    } finally {
      await opened.close();
    }
  },
});
