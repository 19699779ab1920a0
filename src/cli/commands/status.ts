import type { BackupRecord } from '../../domain/backup.ts';
import type { Client } from '@temporalio/client';
import { groupWorkflowId } from '../../contract/names.ts';
import { defineCommand } from '../command.ts';
import type { CommandContext } from '../command.ts';
import { formatElapsed } from '../units.ts';

/** `status`: what runs, and what could be restored now. It starts nothing. */
export const status = defineCommand({
  name: 'status',
  summary: 'what runs, and what could be restored now',
  arguments: {},
  options: {},
  examples: ['status', 'status --json'],
  answers: ['status {services[], ui, running, lastFull, backups}'],
  exits: [7],
  async run(context) {
    const { config } = await context.config();
    const [{ stackStatus }, { stateDirOf }] = await Promise.all([
      import('../../embedded/stack.ts'),
      import('../../assembly/state-dir.ts'),
    ]);
    const stack = await stackStatus({ stateDir: stateDirOf(config) });
    const operations = await askTemporal(context, stack.temporalAddress);
    const { services, uiUrl } = stack;
    const lastFull =
      operations.backups?.find(({ kind, status: state }) => kind === 'full' && state === 'complete') ?? null;
    const answer = {
      services,
      ui: uiUrl ?? null,
      running: operations.running,
      lastFull,
      backups: operations.backups?.length ?? null,
    };
    return {
      json: { status: answer },
      text: async () =>
        [
          services.length === 0
            ? 'local stack: not running (`lifeboat up` starts it)'
            : await context.output.table(
                ['service', 'state', 'pid', 'since'],
                services.map((one) => [one.name, one.state, String(one.pid), one.since]),
              ),
          ...(uiUrl === undefined ? [] : [`Temporal Web UI: ${uiUrl}`]),
          operations.running === null
            ? 'running: nothing'
            : `running: ${operations.running.type} since ${operations.running.since}`,
          describeLast(lastFull, operations.backups?.length),
        ].join('\n'),
    };
  },
});

function describeLast(last: BackupRecord | null, count: number | undefined): string {
  if (count === undefined)
    return 'backups: not known while no worker runs (`lifeboat rescue list` reads the repository itself)';
  if (last === null) return 'last full backup: none';
  return `last full backup: ${last.id}, ${formatElapsed(Date.now() - Date.parse(last.recoveryPoint.time))} ago, ${count} in all`;
}

interface Operations {
  readonly running: { readonly workflowId: string; readonly type: string; readonly since: string } | null;
  /** Undefined where nobody can be asked. */
  readonly backups: readonly BackupRecord[] | undefined;
}

/** A server or worker that is not there is part of the status, not an error of it. */
async function askTemporal(context: CommandContext, localAddress: string | undefined): Promise<Operations> {
  const { config } = await context.config();
  const address = config.temporal.address ?? localAddress;
  if (address === undefined) return { running: null, backups: undefined };
  const { connectClient } = await import('../../temporal/connection.ts');
  const { client, close } = await connectClient({ address, namespace: config.temporal.namespace }, 'cli:status');
  try {
    return { running: await runningOperation(client, config.group), backups: await listBackups(client, config.group) };
  } finally {
    await close();
  }
}

async function runningOperation(client: Client, group: string): Promise<Operations['running']> {
  const { WorkflowNotFoundError } = await import('@temporalio/client');
  const workflowId = groupWorkflowId(group);
  try {
    const { status: state, type, startTime } = await client.workflow.getHandle(workflowId).describe();
    return state.name === 'RUNNING' ? { workflowId, type, since: startTime.toISOString() } : null;
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return null;
    throw error;
  }
}

/** Undefined where no worker could answer: a status does not wait for one. */
async function listBackups(client: Client, group: string): Promise<Operations['backups']> {
  const { missingWorkers } = await import('../../client/workers.ts');
  if ((await missingWorkers(client, group)).length > 0) return undefined;
  const { createBackupManager } = await import('../../client/backup-manager.ts');
  return createBackupManager({ client, group, requestedBy: 'status' }).listBackups();
}
