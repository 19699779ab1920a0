/**
 * Goal: what is scheduled happens by itself, once in each period, is shown with what was missed, and obeys whoever pauses, resumes or
 * triggers it; recovery plans are evaluated, and what is in their way is told.
 * Method: the whole product with a schedule of a few seconds; a backup that nobody asked for is restored and compared; the group is held
 * from outside to have a run skipped; plans that are good, too strict and broken are evaluated.
 */
import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { PlanWithState as ListedPlan } from '../../src/client/disaster-recovery-manager.ts';
import { applyUntilDone } from '../../src/client/schedules/keep-applied.ts';
import { createScheduleManager, type ScheduleManager } from '../../src/client/schedules/schedule-manager.ts';
import { configuredSchedules, type ConfiguredSchedule } from '../../src/config/schedules/schedule-definitions.ts';
import { nextRuns } from '../../src/config/schedules/schedule-timing.ts';
import { loadConfig } from '../../src/config/load-config.ts';
import { besideWorkflowId, groupWorkflowId, scheduleId, taskQueue, WORKFLOWS } from '../../src/contract/names.ts';
import type { BackupRecord } from '../../src/domain/backup.ts';
import { LifeboatError } from '../../src/domain/errors.ts';
import type { ScheduleStatus } from '../../src/domain/schedule/schedule-health.ts';
import { createAlertManager } from '../../src/client/alert-manager.ts';
import { connectClient } from '../../src/temporal/connection.ts';
import { startProduct, type Product } from '../support/product.ts';
import { whenAvailable } from '../support/tools.ts';

const describeSchedules = await whenAvailable('temporal', 'postgres 18', 'redis 7');
const GROUP = 'default';
/** A machine that is busy with much else takes so long. */
const PATIENCE_MS = 120_000;
const CRONS = ['30 2 * * MON-FRI', '*/20 8-17 * * *', '0 4 1,15 * *', '5 3 * * 7', '0 0 * JAN,jul 0'];
const SCHEDULES = {
  often: { type: 'full', every: '3s' },
  weekly: { type: 'verify', cron: '0 3 * * SUN', timeZone: 'Europe/Berlin', budgetBytes: '1GiB' },
  unwanted: { type: 'drill', every: '30d', enabled: false },
};
const STRICT = {
  id: 'strict',
  name: 'Strict',
  objectives: { rpo: '1ms' },
  steps: [{ id: 'look', name: 'Look', type: 'validation', order: 1, config: {} }],
};

describeSchedules('a schedule', () => {
  let product: Product;
  let manager: ScheduleManager;

  const managerOf = (configured: readonly ConfiguredSchedule[]): ScheduleManager =>
    createScheduleManager({ client: product.client, group: GROUP, requestedBy: 'test@here' }, configured);
  const statusOf = async (name: string): Promise<ScheduleStatus> => {
    const found = (await manager.listSchedules()).find((one) => one.name === name);
    if (found === undefined) throw new Error(`no schedule ${name}`);
    return found;
  };
  const scheduled = async (): Promise<readonly BackupRecord[]> =>
    (await product.manager.listBackups()).filter(({ label }) => label['schedule'] === 'often');
  /** Keys of alerts, after a look at everything. */
  const troubles = async (): Promise<readonly string[]> => {
    const asking = { client: product.client, group: GROUP, requestedBy: 'test@here' };
    return (await createAlertManager(asking).lookForAlerts()).alerts.map(({ key }) => key);
  };
  const until = async <T>(look: () => Promise<T | undefined>): Promise<T> => {
    const deadline = Date.now() + PATIENCE_MS;
    while (Date.now() < deadline) {
      const found = await look();
      if (found !== undefined) return found;
      await delay(200);
    }
    throw new Error(`not so within ${PATIENCE_MS} ms`);
  };
  const idle = async (name: string): Promise<ScheduleStatus> =>
    until(async () => {
      const status = await statusOf(name);
      return status.recentRuns.some(({ outcome }) => outcome === 'running') ? undefined : status;
    });

  beforeAll(async () => {
    product = await startProduct({
      redisVersion: '7',
      config: { schedules: SCHEDULES },
      env: { LIFEBOAT_EVALUATE_PLANS_EVERY: '12h' },
    });
    const { config } = loadConfig({ env: product.env, cwd: product.folder });
    manager = managerOf(configuredSchedules(config));
  });
  afterAll(async () => product?.stop());

  test('takes one backup in each period, which comes back as the data was', async () => {
    const taken = await until(async () => {
      const backups = await scheduled();
      return backups.length >= 2 ? backups : undefined;
    });
    const paused = await product.succeed('schedule', 'pause', 'often', '--reason', 'while it is looked at');
    expect(paused.schedules).toEqual([expect.objectContaining({ name: 'often', state: 'paused', nextRuns: [] })]);
    await idle('often');
    const all = await scheduled();
    const periods = all.map(({ label }) => label['period'] ?? '');
    expect(new Set(periods).size).toBe(all.length);
    expect(periods.map((period) => Date.parse(period) % 3_000)).toEqual(all.map(() => 0));
    expect(all.length).toBeGreaterThanOrEqual(taken.length);

    const before = await product.fingerprint();
    await product.spoil();
    await product.succeed('restore', all[0]!.id, '--drop-existing', '--yes');
    expect(await product.fingerprint()).toEqual(before);
  });

  test('that a person has paused stays so, whatever is applied and whoever restarts', async () => {
    await product.worker.stop();
    await product.worker.start();
    const applied = await product.succeed('schedule', 'apply');
    expect(applied.schedules).toEqual([
      { name: 'often', change: 'unchanged' },
      { name: 'weekly', change: 'unchanged' },
      { name: 'plans', change: 'unchanged' },
    ]);
    const changed = managerOf(
      configuredSchedules({ ...(await loaded()), schedules: { ...(await loaded()).schedules, often: oftener() } }),
    );
    expect(await changed.applySchedules()).toContainEqual({ name: 'often', change: 'updated' });
    expect(await statusOf('often')).toMatchObject({ state: 'outdated' });
    expect(await manager.applySchedules()).toContainEqual({ name: 'often', change: 'updated' });
    const { state, note } = await statusOf('often');
    expect([state, note]).toEqual(['paused', expect.stringMatching(/^paused by .+: while it is looked at$/)]);
  });

  const loaded = async (): Promise<ReturnType<typeof loadConfig>['config']> =>
    loadConfig({ env: product.env, cwd: product.folder }).config;
  const oftener = (): Awaited<ReturnType<typeof loaded>>['schedules'][string] => ({
    type: 'incremental',
    every: '4s',
    timeZone: 'UTC',
    jitter: '0s',
    enabled: true,
  });

  test('can be triggered while it is paused, and says that the group was busy, or what was done', async () => {
    const held = await hold(product, groupWorkflowId(GROUP));
    const { workflowId } = await product.succeed('schedule', 'trigger', 'often');
    const skipped = await until(async () => {
      const [run] = (await idle('often')).recentRuns;
      return run?.outcome === 'skipped' ? run : undefined;
    });
    expect(skipped.message).toContain('lifeboat/default was held by another operation for 2s400ms');
    const listed = await product.cli(['schedule', 'list']);
    expect([listed.exit, listed.json.error.code]).toEqual([3, 'SCHEDULE_ALARM']);
    expect(listed.json.error.message).toContain('often skipped: skipped at');
    expect(await troubles()).toContain('schedule-trouble/often/skipped');
    await held.terminate('the test goes on');

    const again = await product.succeed('schedule', 'trigger', 'often');
    expect(again.workflowId).not.toBe(workflowId);
    const attached = await product.succeed('attach', again.workflowId);
    expect(attached.result).toMatchObject({ outcome: 'done', message: expect.stringContaining('full backup-') });
    const { lastDone, problems } = await statusOf('often');
    expect([lastDone?.workflowId, problems.filter(({ kind }) => kind === 'skipped')]).toEqual([again.workflowId, []]);
    expect(await troubles()).not.toContain('schedule-trouble/often/skipped');
  });

  test('is not started twice: a run waits for what is in its way, and goes on when that has ended', async () => {
    const held = await hold(product, besideWorkflowId(GROUP, 'verify', 'oldest'));
    const { workflowId } = await product.succeed('schedule', 'trigger', 'weekly');
    await until(async () => ((await statusOf('weekly')).recentRuns[0]?.message === 'waiting' ? true : undefined));
    const second = await product.cli(['schedule', 'trigger', 'weekly']);
    expect([second.exit, second.json.error.code, second.json.error.details]).toEqual([6, 'GROUP_BUSY', { workflowId }]);
    await held.terminate('the test goes on');
    const { result } = await product.succeed('attach', workflowId);
    expect(result).toMatchObject({ outcome: 'done', attempts: 1, message: expect.stringMatching(/^\d+ read back/) });
  });

  test('that is resumed goes on', async () => {
    const known = (await scheduled()).length;
    const resumed = await product.succeed('schedule', 'resume', 'often', '--reason', 'done');
    expect(resumed.schedules[0]).toMatchObject({
      state: 'active',
      note: expect.stringMatching(/^resumed by .+: done$/),
    });
    await until(async () => ((await scheduled()).length > known ? true : undefined));
    await manager.pauseSchedule('often', 'the rest is about others');
    await idle('often');
  });

  test('is missed by name where nothing of the name is there', async () => {
    const near = await product.cli(['schedule', 'trigger', 'oftn']);
    expect([near.exit, near.json.error.code, near.json.error.hint]).toEqual([
      5,
      'SCHEDULE_NOT_FOUND',
      expect.stringContaining('did you mean often?'),
    ]);
    const off = await product.cli(['schedule', 'pause', 'unwanted', '--reason', 'no']);
    expect([off.exit, off.json.error.message]).toEqual([5, 'schedule unwanted: configured, and not in Temporal']);
  });

  test('evaluates plans: what is in their way is in the lists, and a plan without any is verified', async () => {
    await mkdir(join(product.folder, 'config', 'plans'), { recursive: true });
    await writeFile(join(product.folder, 'config', 'plans', 'strict.json'), JSON.stringify(STRICT));
    await writeFile(join(product.folder, 'config', 'plans', 'broken.json'), '{"id": "broken", "steps": 7}');
    const { workflowId } = await product.succeed('schedule', 'trigger', 'plans');
    const { result } = await product.succeed('attach', workflowId);
    expect(result).toMatchObject({ outcome: 'alarm', message: expect.stringContaining('strict: the last ') });

    const { plans } = await product.succeed('dr', 'list-plans');
    const found = plans.map((plan: ListedPlan) => [
      plan.id,
      plan.state,
      plan.evaluation?.state,
      plan.evaluation?.findings.map(({ code }) => code),
    ]);
    expect(found).toEqual([
      ['default-recovery', 'verified', 'passed', []],
      ['broken', 'invalid', 'action-required', expect.arrayContaining(['PLAN_INVALID'])],
      ['strict', 'needs-verification', 'action-required', ['RPO_EXCEEDED', 'RPO_EXCEEDED']],
    ]);
    const shown = await product.succeed('dr', 'show', 'strict');
    expect(shown.evaluation.findings[0].message).toContain('of postgres would be lost, where 1 ms are acceptable');

    const { status } = await product.succeed('status');
    expect(status.plans.map(({ id, state }: { id: string; state: string }) => [id, state])).toEqual([
      ['default-recovery', 'verified'],
      ['broken', 'invalid'],
      ['strict', 'needs-verification'],
    ]);
    const states = status.schedules.map(({ name, state }: { name: string; state: string }) => [name, state]);
    expect(states).toEqual([
      ['often', 'paused'],
      ['weekly', 'active'],
      ['unwanted', 'off'],
      ['plans', 'active'],
    ]);
  });

  test('that evaluates plans says that the repository is gone, and begins no other in its place', async () => {
    await rename(product.store, `${product.store}.away`);
    try {
      const { workflowId } = await product.succeed('schedule', 'trigger', 'plans');
      const { result } = await product.succeed('attach', workflowId);
      expect(result).toMatchObject({
        outcome: 'alarm',
        message: expect.stringContaining('the store holds no repository'),
      });
      expect(await product.storedKeys()).toEqual([]);
    } finally {
      await rm(product.store, { recursive: true, force: true });
      await rename(`${product.store}.away`, product.store);
    }
  });

  test('is removed when it is no longer configured, and nobody else is touched', async () => {
    const foreign = scheduleId(GROUP, 'somebody-elses');
    const action = { type: 'startWorkflow', workflowType: 'other', taskQueue: 'nobody' } as const;
    await product.client.schedule.create({ scheduleId: foreign, spec: {}, action });
    const left = managerOf(configuredSchedules({ ...(await loaded()), schedules: {} }));
    const applied = await until(async () => {
      const done = await left.applySchedules();
      return done.some(({ change }) => change === 'removed') ? done : undefined;
    });
    expect(applied).toContainEqual({ name: 'plans', change: 'unchanged' });
    await until(async () => {
      await left.applySchedules();
      return (await left.listSchedules()).length === 1 ? true : undefined;
    });
    expect(await product.client.schedule.getHandle(foreign).describe()).toMatchObject({ scheduleId: foreign });
    expect((await manager.listSchedules()).map(({ name, state }) => [name, state])).toContainEqual([
      'often',
      'not-applied',
    ]);
  });

  test('is applied when Temporal comes back, and the worker goes on meanwhile', async () => {
    const lines: string[] = [];
    const log = {
      info: (message: string) => void lines.push(message),
      warn: (message: string) => void lines.push(message),
    };
    let tries = 0;
    const connect = async (): ReturnType<typeof connectClient> => {
      tries += 1;
      if (tries === 1) throw new LifeboatError('TEMPORAL_UNREACHABLE', 'connect to temporal: no answer');
      return connectClient({ address: product.temporal.address }, 'test');
    };
    const asked = { group: GROUP, configured: configuredSchedules(await loaded()) };
    await applyUntilDone(connect, asked, { log, signal: new AbortController().signal });
    expect(lines).toEqual(['apply schedules', 'schedules applied']);
    expect((await statusOf('weekly')).state).toBe('active');
  });

  test.each(CRONS)('by %j runs when the preview says', async (cron) => {
    const timeZone = 'Europe/Berlin';
    const definition = { ...(await loaded()).schedules['weekly']!, cron, timeZone };
    const [configured] = configuredSchedules({
      schedule: { enabled: false, interval: '6h', type: 'full' },
      drPlans: { ...(await loaded()).drPlans, evaluateEvery: '0s' },
      schedules: { previewed: definition },
    });
    const apart = createScheduleManager({ client: product.client, group: 'previews', requestedBy: 'test@here' }, [
      configured!,
    ]);
    await apart.applySchedules();
    const { nextActionTimes } = (
      await product.client.schedule.getHandle(scheduleId('previews', 'previewed')).describe()
    ).info;
    const said = nextRuns(configured!.definition.timing, { count: nextActionTimes.length, after: new Date() });
    expect([nextActionTimes.length > 3, nextActionTimes]).toEqual([true, said]);
  });
});

/** Holds an id as an operation would, on a queue that nobody polls. */
async function hold(product: Product, workflowId: string): Promise<{ terminate(reason: string): Promise<unknown> }> {
  const queue = `${taskQueue('control', GROUP)}-nobody`;
  return product.client.workflow.start(WORKFLOWS.catalog, { workflowId, taskQueue: queue, args: [{}] });
}
