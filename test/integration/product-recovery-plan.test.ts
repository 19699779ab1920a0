/**
 * Goal: a recovery plan runs to its end whatever dies, does what it says and no more, and is steered by whoever may.
 * Method: the plan that is built in and plans of files, through the command line on real servers; both databases are compared as a whole, what
 * services, a webhook and a command were told is read where they wrote it.
 */
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import {
  createDisasterRecoveryManager,
  type DisasterRecoveryManager,
} from '../../src/client/disaster-recovery-manager.ts';
import { openPlans } from '../../src/config/plans/plan-library.ts';
import { readRuns } from '../../src/client/read-runs.ts';
import type { EndedRun, RunsSeen } from '../../src/domain/alerts/runs-seen.ts';
import { QUERIES } from '../../src/contract/names.ts';
import { PROJECT_DIR } from '../../src/embedded/places.ts';
import type { PlanRunView } from '../../src/domain/plan/run-view.ts';
import { startProduct, type Fingerprint, type Product } from '../support/product.ts';
import { until } from '../support/product/mid-stream.ts';
import { MANUAL_PLAN } from '../support/manual-plan.ts';
import { startThrottle, type Throttle } from '../support/product/throttle.ts';
import { whenAvailable } from '../support/tools.ts';

const describePlans = await whenAvailable('temporal', 'postgres 18', 'redis 7');
/** The load of the seeded database takes several seconds at this rate. */
const SLOW_BYTES_PER_SECOND = 20_000;

interface GuidePlan {
  readonly id: string;
  readonly description?: string;
  readonly steps: readonly { readonly id: string; readonly config: { readonly checks?: readonly object[] } }[];
}

/** The plan of the guide: asks another person, restores, looks. One expectation is added that is met, and one that is not. */
async function planOfGuide(): Promise<GuidePlan> {
  const guide = await readFile(join(PROJECT_DIR, 'docs/guides/recovery-plans.md'), 'utf8');
  const plan = JSON.parse(/^```json\n([\s\S]*?)^```/m.exec(guide)?.[1] ?? '') as GuidePlan;
  const wrong = [
    { type: 'sql', name: 'intruders', query: "SELECT to_regclass('intruder') IS NULL", expected: true },
    { type: 'sql', name: 'nobody', query: 'SELECT count(*) FROM users', expected: -1 },
  ];
  const steps = plan.steps.map((step) =>
    step.config.checks === undefined ? step : { ...step, config: { checks: [...step.config.checks, ...wrong] } },
  );
  return { ...plan, steps };
}

describePlans('a recovery plan', () => {
  let product: Product;
  /** Another person than the one at the command line. */
  let second: DisasterRecoveryManager;
  let relay: Throttle;
  let listener: Server;
  const heard: { title: string; facts: Record<string, string> }[] = [];
  let good: Fingerprint;
  let careful: GuidePlan;

  const planFile = (id: string): string => join(product.folder, 'config', 'plans', `${id}.json`);
  const writePlan = async (plan: { readonly id: string }): Promise<void> =>
    writeFile(planFile(plan.id), JSON.stringify(plan));
  const stateOf = async (id: string): Promise<string | undefined> =>
    (await second.readPlanStates()).find((plan) => plan.id === id)?.state;
  const view = async (): Promise<PlanRunView> =>
    product.client.workflow.getHandle('lifeboat/default').query<PlanRunView>(QUERIES.planRun);
  const seenByAlerts = async (): Promise<RunsSeen> =>
    readRuns(product.client, product.group, { since: new Date(0).toISOString(), seen: [] });
  const written = async (name: string): Promise<string[]> =>
    (await readFile(join(product.folder, name), 'utf8')).trim().split('\n');

  beforeAll(async () => {
    listener = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        heard.push(JSON.parse(Buffer.concat(chunks).toString()) as (typeof heard)[number]);
        response.end();
      });
    });
    await new Promise<void>((resolve) => void listener.listen(0, '127.0.0.1', resolve));
    const { port } = listener.address() as AddressInfo;
    const line = (what: string): readonly string[] => ['/bin/sh', '-c', `echo "${what}" >> services.log`];
    product = await startProduct({
      redisVersion: '7',
      config: {
        services: [{ name: 'api', stop: line('stop'), start: line('start') }],
        endpoints: [{ type: 'haproxy', name: 'lb', socket: '/run/haproxy.sock', backend: 'pg' }],
        commands: [
          { name: 'announce', run: 'echo "$DR_PLAN $DR_STEP" >> announced.log' },
          { name: 'fail', run: 'echo the disk is full >&2; exit 3' },
        ],
        notifications: { ops: { type: 'webhook', url: `http://127.0.0.1:${port}/hook?token=secret-token` } },
        objectives: { rto: '1h', rpo: '1h' },
        // What steps tell is counted.
        alerts: { enabled: false },
      },
      via: async (name, server) => {
        if (name === 'redis') return server;
        relay = await startThrottle(server);
        return relay.port;
      },
    });
    await mkdir(join(product.folder, 'config', 'plans'));
    careful = await planOfGuide();
    await Promise.all([MANUAL_PLAN, careful].map(writePlan));
    const plans = openPlans({ drPlans: { dir: join(product.folder, 'config', 'plans') }, objectives: {} });
    const { client, group } = product;
    second = createDisasterRecoveryManager({ client, group, requestedBy: 'second@person' }, plans);
    good = await product.fingerprint();
  });
  afterAll(async () => {
    await product?.stop();
    await relay?.close();
    listener?.close();
  });

  test('without a backup could not be run, and says so before anything is done', async () => {
    const { exit, json } = await product.cli(['dr', 'validate', 'default-recovery']);
    expect({ exit, findings: json['findings'] }).toEqual({
      exit: 2,
      findings: [{ step: 'system-restore', code: 'BACKUP_NOT_FOUND', message: expect.any(String) }],
    });
    expect((await second.readPlanStates()).map(({ id, state }) => [id, state])).toEqual(
      ['default-recovery', 'careful', MANUAL_PLAN.id].map((id) => [id, 'needs-verification']),
    );
    await product.manager.performFullBackup();
  });

  test('is verified until it is written otherwise', async () => {
    await product.succeed('dr', 'validate', 'default-recovery');
    await (await second.startEvaluation('careful', { record: true })).result();
    expect(await stateOf('default-recovery')).toBe('verified');
    expect(await stateOf('careful')).toBe('verified');
    await writePlan({ ...careful, description: 'edited' } as GuidePlan);
    expect(await stateOf('careful')).toBe('needs-verification');
  });

  test('with a failover to a region that nobody has configured is shown, and refused before anything is run', async () => {
    const { plan } = await second.showPlan(MANUAL_PLAN.id);
    expect(plan.steps[0]).toMatchObject({ pointOfNoReturn: true, action: { type: 'failover' } });
    const { exit, json } = await product.cli(['dr', 'execute', MANUAL_PLAN.id]);
    expect({ exit, code: json['error'].code }).toEqual({ exit: 2, code: 'CONFIG_INCOMPLETE' });
    expect(json['error'].hint).toContain('failover.regions');
    const repoint = { id: 'repoint', name: 'Repoint', type: 'repoint', order: 1, config: { targetRegion: 'b' } };
    await writePlan({ ...MANUAL_PLAN, id: 'repointing', steps: [repoint] } as GuidePlan);
    const unavailable = await product.cli(['dr', 'execute', 'repointing']);
    expect({ exit: unavailable.exit, code: unavailable.json['error'].code }).toEqual({
      exit: 2,
      code: 'PLAN_STEP_UNAVAILABLE',
    });
    await rm(planFile('repointing'));
  });

  test('in a dry run says what each step would do, and changes nothing', async () => {
    await product.spoil();
    const spoilt = await product.fingerprint();
    const stored = await product.storedKeys();
    const { steps, findings } = await product.succeed('dr', 'execute', 'default-recovery', '--dry-run');
    expect(findings).toEqual([]);
    expect(steps.map(({ id, would }: { id: string; would: string[] }) => [id, would.length > 0])).toEqual(
      ['emergency-backup', 'system-restore', 'health-validation', 'service-restart', 'notification'].map((id) => [
        id,
        true,
      ]),
    );
    expect(await product.fingerprint()).toEqual(spoilt);
    expect(await product.storedKeys()).toEqual(stored);
  });

  test('brings everything back although its worker is killed in the middle, and tells', async () => {
    // The backup before the restore only reads.
    relay.setRate(SLOW_BYTES_PER_SECOND, 'to-server');
    const running = product.cli(['dr', 'execute', 'default-recovery']);
    await until('the restore', async () => (await view().catch(() => undefined))?.steps[1]?.status === 'running');
    const { workflowId } = (await view()).steps[1]!;
    await until('the load beside the live data', async () => {
      const { raw } = await product.client.workflow.getHandle(workflowId ?? '').describe();
      return (raw.pendingActivities ?? []).some(
        ({ activityType, lastHeartbeatTime }) => activityType?.name === 'restorePostgresAside' && lastHeartbeatTime,
      );
    });
    await product.worker.kill();
    relay.setRate(Number.POSITIVE_INFINITY);
    await product.worker.start();

    const { exit, json, stderr } = await running;
    expect({ exit, state: json['run']?.state, stderr }).toMatchObject({ exit: 0, state: 'succeeded' });
    expect(await product.fingerprint()).toEqual(good);
    const { run } = json as { run: PlanRunView };
    expect(run.steps.map(({ id, status, attempts }) => [id, status, attempts])).toEqual(
      ['emergency-backup', 'system-restore', 'health-validation', 'service-restart', 'notification'].map((id) => [
        id,
        'succeeded',
        1,
      ]),
    );
    expect(run.objectives.rto).toEqual({ targetMs: 3_600_000, actualMs: run.rtoMs, isMet: true });
    expect(run.rpoMs).toBeGreaterThan(0);
    // Around the restore, and after the validation.
    expect(await written('services.log')).toEqual(['stop', 'start', 'stop', 'start']);
    expect(heard).toMatchObject([{ title: expect.stringContaining('recovered'), facts: { run: run.id } }]);
    expect(JSON.stringify(run)).not.toContain('secret-token');
  });

  test('leaves a report, which is found when Temporal knows the run no more', async () => {
    const { run } = await product.succeed('dr', 'status');
    await product.manager.performFullBackup();
    const reported = await second.runStatus(run.id);
    expect(reported).toEqual(run);
    expect(await product.storedKeys()).toContain(`reports/${run.id}/report.json`);
    await expect(second.runStatus('run-2020-01-01T00-00-00-000Z')).rejects.toMatchObject({
      code: 'PLAN_RUN_NOT_FOUND',
    });
  });

  test.each([
    ['continue', 3, 'PLAN_PARTLY_DONE', 'partial'],
    ['abort', 1, 'PLAN_FAILED', 'failed'],
  ])('with a failed step and onFailure %s says which, and why', async (onFailure, exit, code, state) => {
    const step = { id: 'try', name: 'Try', type: 'command', order: 1, onFailure, config: { command: 'fail' } };
    await writeFile(planFile('trying'), JSON.stringify({ id: 'trying', name: 'Trying', steps: [step] }));
    const result = await product.cli(['dr', 'execute', 'trying']);
    expect({ exit: result.exit, code: result.json['error'].code }).toEqual({ exit, code });
    expect(result.json['run']).toMatchObject({
      state,
      steps: [{ id: 'try', status: 'failed', message: expect.stringContaining('exit code 3: the disk is full') }],
    });
    await rm(planFile('trying'));
    const isThis = ({ message }: EndedRun): boolean => message.includes('the disk is full');
    await until('what alerts see of it', async () => (await seenByAlerts()).ended.some(isThis));
    const seen = (await seenByAlerts()).ended.filter(({ code: found }) => found === code);
    expect(seen).toMatchObject([{ kind: 'plan', end: 'failed', message: expect.stringContaining('the disk is full') }]);
  });

  test('waits for another person, and takes back what it replaced when it is aborted', async () => {
    await product.spoil();
    const spoilt = await product.fingerprint();
    const first = await product.cli(['dr', 'execute', 'careful', '--detach']);
    expect(first.exit).toBe(0);
    await until('the approval', async () => (await view()).state === 'waiting');
    const { id, digest } = await view();
    await until('what alerts see of it', async () => (await seenByAlerts()).open.some(({ kind }) => kind === 'plan'));
    expect((await seenByAlerts()).waiting).toMatchObject({ id, waitsFor: [expect.stringContaining('an approval')] });
    await expect(second.startPlan('default-recovery')).rejects.toMatchObject({ code: 'GROUP_BUSY' });
    const own = await product.cli(['dr', 'approve', id, 'confirm', '--reason', 'it is fine']);
    expect({ exit: own.exit, code: own.json['error'].code }).toEqual({ exit: 8, code: 'PLAN_APPROVAL_REFUSED' });

    const approval = { action: 'approve', reason: 'agreed' } as const;
    // Edited while it runs: an approval of what the file says now is none of what runs, which goes on as it was.
    await writePlan({ ...careful, steps: careful.steps.slice(0, 1) } as GuidePlan);
    const edited = await second.showPlan('careful');
    expect(edited.digest).not.toBe(digest);
    for (const other of ['f'.repeat(64), edited.digest]) {
      const refused = second.steerRun(id, { ...approval, digest: other });
      await expect(refused).rejects.toMatchObject({ code: 'PLAN_APPROVAL_REFUSED' });
    }
    await second.steerRun(id, { ...approval, digest });

    await until('the failed validation', async () => (await view()).steps[3]?.status === 'waiting');
    const { steps } = await view();
    expect(steps[3]?.result?.checks?.map(({ name, status }) => [name, status])).toEqual([
      ['postgres', 'pass'],
      ['redis', 'pass'],
      ['users', 'pass'],
      ['intruders', 'pass'],
      ['nobody', 'fail'],
    ]);
    expect(await product.fingerprint()).toEqual(good);
    expect(await written('announced.log')).toEqual(['careful announce']);

    await product.succeed('dr', 'abort', id, '--reason', 'the expectation is wrong');
    await until('the end', async () => (await view()).endedAt !== null);
    const run = await second.runStatus(id);
    expect(run).toMatchObject({
      state: 'aborted',
      steering: [{ action: 'approve', by: 'second@person' }, { action: 'abort' }],
    });
    expect(run.steps[2]).toMatchObject({ id: 'bring-back', status: 'succeeded', compensation: 'done' });
    expect(await product.fingerprint()).toEqual(spoilt);
    const late = second.steerRun(id, { action: 'pause', reason: 'too late' });
    await expect(late).rejects.toMatchObject({ code: 'PLAN_STEERING_REFUSED' });
  });
});
