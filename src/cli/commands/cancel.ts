import { LifeboatError } from '../../domain/errors.ts';
import { defineCommand } from '../command.ts';
import { flag, required, value } from '../options.ts';
import { openClient } from './open-client.ts';

/** `cancel ID --reason …`: the reason stands in the history. */
export const cancel = defineCommand({
  name: 'cancel',
  summary: 'stop a running operation; it cleans up after itself',
  description: 'One that has ended by then, or completes before it hears of it, is not found: what it did stands.',
  arguments: { id: required('workflow id') },
  options: {
    reason: value('<text>', 'why; stands in the history'),
    detach: flag('do not wait until it has cleaned up'),
  },
  examples: ['cancel lifeboat/default --reason "wrong database"'],
  answers: ['workflowId', 'runId', 'cancelled'],
  exits: [5, 7],
  async run(context, { arguments: { id }, options }) {
    const { reason } = options;
    if (reason === undefined) throw new LifeboatError('USAGE_INVALID', 'cancel: --reason is missing');
    const opened = await openClient(context, { worker: 'any' });
    try {
      const { cancelOperation } = await import('../../client/cancel-operation.ts');
      const cancelled = await cancelOperation(opened.client, id, { reason, by: opened.requestedBy });
      if (!options.detach) await cancelled.ended();
      const { workflowId, runId } = cancelled;
      return { json: { workflowId, runId, cancelled: true }, text: () => `${workflowId} is cancelled: ${reason}` };
    } finally {
      await opened.close();
    }
  },
});
