/**
 * Goal: who cancels an operation is told whether it was cancelled, and when it had ended before, how.
 * Method: a real Temporal server; a run is ended between the look at it and the signal, and another one
 * completes without having heard of it.
 */
import { Client, type WorkflowClientInterceptor } from '@temporalio/client';
import { cancelOperation } from '../../src/client/cancel-operation.ts';
import { connectClient } from '../../src/temporal/connection.ts';
import { caught } from '../support/caught.ts';
import { startTemporal, type TestTemporal } from '../support/servers.ts';
import { whenAvailable } from '../support/tools.ts';

const describeCancel = await whenAvailable('temporal');
const taskQueue = 'ends';
const REQUEST = { reason: 'not now', by: 'tester@here' };

describeCancel('a cancellation', () => {
  let temporal: TestTemporal;
  let client: Client;
  let close: () => Promise<void>;

  beforeAll(async () => {
    temporal = await startTemporal();
    ({ client, close } = await connectClient({ address: temporal.address }, 'test'));
  });
  afterAll(async () => {
    await close?.();
    await temporal?.stop();
  });

  /** Runs until `end`: nothing takes it. */
  const start = async (workflowId: string): Promise<{ end(): Promise<void> }> => {
    const handle = await client.workflow.start('waits', { workflowId, taskQueue });
    return { end: async () => void (await handle.terminate('as another would')) };
  };

  test('of nothing says that there is no such operation', async () => {
    expect(await caught(async () => cancelOperation(client, 'nobody', REQUEST))).toMatchObject({
      code: 'OPERATION_NOT_FOUND',
      message: 'no operation nobody',
    });
  });

  test('of one that has ended before says how', async () => {
    await (await start('ended')).end();
    expect(await caught(async () => cancelOperation(client, 'ended', REQUEST))).toMatchObject({
      code: 'OPERATION_NOT_FOUND',
      message: 'ended does not run: it is terminated',
    });
  });

  test('of one that ends at this very moment says how, and is no internal error', async () => {
    const { end } = await start('ending');
    // Between the look and the signal, every time.
    const signal: WorkflowClientInterceptor['signal'] = async (input, next) => {
      await end();
      return next(input);
    };
    const late = new Client({ connection: client.connection, interceptors: { workflow: [{ signal }] } });
    const error = await caught(async () => cancelOperation(late, 'ending', REQUEST));
    expect(error).toMatchObject({
      code: 'OPERATION_NOT_FOUND',
      message: 'ending does not run: it is terminated',
    });
    expect(error.rule.exit).toBe(5);
  });

  test('that came too late is not reported as one', async () => {
    await start('completes');
    const cancelled = await cancelOperation(client, 'completes', REQUEST);
    await completeNext(client);
    expect(await caught(async () => cancelled.ended())).toMatchObject({
      code: 'OPERATION_NOT_FOUND',
      message: 'completes does not run: it is completed',
    });
  });
});

/** temporal.api.enums.v1.CommandType.COMMAND_TYPE_COMPLETE_WORKFLOW_EXECUTION. */
const COMPLETE = 4;

const POLL_MS = 10_000;

/** What a worker does whose workflow is done. */
async function completeNext({ connection, workflowService, options: { namespace } }: Client): Promise<void> {
  const commands = [{ commandType: COMPLETE, completeWorkflowExecutionCommandAttributes: {} }];
  await connection.withDeadline(Date.now() + POLL_MS, async () => {
    const { taskToken } = await workflowService.pollWorkflowTaskQueue({ namespace, taskQueue: { name: taskQueue } });
    await workflowService.respondWorkflowTaskCompleted({ namespace, taskToken, commands });
  });
}
