import { SIGNALS } from '../../contract/names.ts';
import type { CancelRequest } from '../../contract/messages.ts';
import { LifeboatError } from '../../domain/errors.ts';
import { defineCommand } from '../command.ts';
import { flag, required, value } from '../options.ts';
import { openClient } from './open-client.ts';

/** `cancel ID --reason …`: the reason stands in the history. */
export const cancel = defineCommand({
  name: 'cancel',
  summary: 'stop a running operation; it cleans up after itself',
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
      const { attachOperation } = await import('../../client/operation.ts');
      const started = await attachOperation(opened.client, id);
      const { status } = await started.handle.describe();
      if (status.name !== 'RUNNING')
        throw new LifeboatError('OPERATION_NOT_FOUND', `${id} does not run: it is ${status.name.toLowerCase()}`);
      await started.handle.signal<[CancelRequest]>(SIGNALS.cancel, { reason, by: opened.requestedBy });
      if (!options.detach) await started.result().catch(onlyCancelled);
      const { workflowId, runId } = started;
      return { json: { workflowId, runId, cancelled: true }, text: () => `${workflowId} is cancelled: ${reason}` };
    } finally {
      await opened.close();
    }
  },
});

/** The end we asked for is no error; any other is told. */
function onlyCancelled(error: unknown): void {
  if (error instanceof LifeboatError && error.code === 'OPERATION_CANCELLED') return;
  throw error;
}
