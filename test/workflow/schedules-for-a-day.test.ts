/**
 * Goal: over a day, with a worker that ends in every hour, each period of each schedule has exactly one backup, and each cleanup ran.
 * Method: schedules as the product makes them on a real Temporal server, which is told to take hour after hour of a day; the worker that decides is
 * ended in the middle of a backup of each hour, and the next one ends that and begins another. Activities only note what was published, by id.
 */
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client, Connection } from '@temporalio/client';
import { DefaultLogger, NativeConnection, Runtime, Worker } from '@temporalio/worker';
import { applySchedules } from '../../src/client/schedules/apply-schedules.ts';
import { readSchedules } from '../../src/client/schedules/read-schedules.ts';
import { configuredSchedules } from '../../src/config/schedules/schedule-definitions.ts';
import { scheduleId, taskQueue, type WorkerRole } from '../../src/contract/names.ts';
import { workflowBundle } from '../../src/temporal/bundle.ts';
import { startTemporal, type TestTemporal } from '../support/servers.ts';
import { type Activities, BACKUP_RECORD, recordingActivities } from '../support/workflows/fakes.ts';

const GROUP = 'day';
const HOUR_MS = 3_600_000;
const HOURS = 24;
const FIRST = Date.parse('2026-01-15T01:00:00Z');
const BUNDLES = join(tmpdir(), 'lifeboat-test-bundles');

const off = { timeZone: 'UTC', jitter: '0s', enabled: true } as const;
const CONFIGURED = configuredSchedules({
  schedule: { enabled: true, interval: '1h', type: 'incremental' },
  schedules: {
    fulls: { type: 'full', cron: '0 */6 * * *', ...off },
    sweep: { type: 'cleanup', every: '12h', ...off },
  },
  drPlans: { dir: '/nowhere', evaluateEvery: '0s' },
});

let temporal: TestTemporal;
let connection: Connection;
let native: NativeConnection;
/** The last worker, and the one that copies all day: a test that was given up leaves none. */
let working: Promise<void> | undefined;
let copying: Promise<void> | undefined;
const end = new AbortController();
beforeAll(async () => {
  Runtime.install({ logger: new DefaultLogger('ERROR') });
  temporal = await startTemporal();
  connection = await Connection.connect({ address: temporal.address });
  native = await NativeConnection.connect({ address: temporal.address });
});
afterAll(async () => {
  end.abort();
  await Promise.allSettled([working, copying]);
  await native?.close();
  await connection?.close();
  await temporal?.stop();
});

/** What a repository would hold: a backup has the id of its owner, however often it is begun or published. */
interface Ledger {
  readonly published: Map<string, string>;
  readonly activities: Activities;
  /** Called at the first copy of a further hour. */
  onHour: () => void;
}

function openLedger(): Ledger {
  const published = new Map<string, string>();
  const hours = new Set<string>();
  const publish: Activities['publishBackup'] = async ({ backupId, request }) => {
    published.set(backupId, `${request.label['schedule']} ${request.label['period']}`);
    return { ...BACKUP_RECORD, id: backupId, kind: request.kind };
  };
  const ledger: Ledger = {
    published,
    onHour: () => {},
    ...recordingActivities({
      beginBackup: async ({ request, owner }) => {
        const hour = request.label['period'] ?? '';
        if (!hours.has(hour)) {
          hours.add(hour);
          ledger.onHour();
        }
        return {
          backupId: `backup of ${owner}`,
          codec: { compression: 'zstd', compressionLevel: 3, encryption: 'none' },
        };
      },
      publishBackup: publish,
      publishIncremental: publish as unknown as Activities['publishIncremental'],
      planCleanup: async ({ request }) => {
        const plan = await recordingActivities().activities.planCleanup({ request });
        return { ...plan, hide: { backups: [], epochs: [] }, purge: { backupIds: [], epochs: [] }, replaced: [] };
      },
    }),
  };
  return ledger;
}

/** A worker until `until` resolves; then it ends as on SIGTERM. */
async function workUntil(until: Promise<unknown>, { activities }: Ledger, role: WorkerRole = 'control'): Promise<void> {
  const worker = await Worker.create({
    connection: native,
    activities,
    taskQueue: taskQueue(role, GROUP),
    // The next worker knows nothing of what this one has in memory.
    maxCachedWorkflows: 0,
    ...(role === 'control' ? { workflowBundle: await workflowBundle(BUNDLES) } : {}),
  });
  await worker.runUntil(until);
}

test('a day of schedules has one backup in each period, with a worker that ends in every hour', async () => {
  const client = new Client({ connection });
  const ledger = openLedger();
  await applySchedules(client, GROUP, CONFIGURED);
  for (const { definition } of CONFIGURED) {
    await client.schedule.getHandle(scheduleId(GROUP, definition.name)).pause('hours are taken one by one');
  }
  copying = workUntil(ended, ledger, 'data');
  for (let hour = 0; hour < HOURS; hour += 1) {
    const begun = new Promise<void>((resolve) => {
      ledger.onHour = resolve;
    });
    await takeHour(client, FIRST + hour * HOUR_MS);
    working = workUntil(Promise.race([begun, ended]), ledger);
    await working;
  }
  working = workUntil(Promise.race([untilTaken(client), ended]), ledger);
  await working;
  const taken = [...ledger.published.values()].toSorted();
  const hourly = Array.from(
    { length: HOURS },
    (_, index) => `backup ${new Date(FIRST + index * HOUR_MS).toISOString()}`,
  );
  const fulls = [6, 12, 18, 24].map((hour) => `fulls ${new Date(FIRST + (hour - 1) * HOUR_MS).toISOString()}`);
  expect(taken).toEqual([...hourly, ...fulls]);
  const statuses = await readSchedules(client, GROUP, CONFIGURED);
  expect(statuses.map(({ name, recentRuns }) => [name, new Set(recentRuns.map(({ outcome }) => outcome))])).toEqual([
    ['backup', new Set(['done'])],
    ['fulls', new Set(['done'])],
    ['sweep', new Set(['done'])],
  ]);
}, 900_000);

const ended = new Promise<void>((resolve) => end.signal.addEventListener('abort', () => resolve(), { once: true }));

/** What lies at this time is taken, behind what goes on. */
async function takeHour(client: Client, atMs: number): Promise<void> {
  const period = { start: new Date(atMs - 1_000), end: new Date(atMs + 1_000), overlap: 'BUFFER_ALL' } as const;
  for (const { definition } of CONFIGURED) {
    await client.schedule.getHandle(scheduleId(GROUP, definition.name)).backfill(period);
  }
}

/** Until every schedule has taken all that lay in the day, and nothing of it runs. */
async function untilTaken(client: Client): Promise<void> {
  const wanted = { backup: HOURS, fulls: 4, sweep: 2 };
  for (const [name, count] of Object.entries(wanted)) {
    const handle = client.schedule.getHandle(scheduleId(GROUP, name));
    while (!end.signal.aborted) {
      const { info } = await handle.describe();
      if (info.numActionsTaken >= count && info.runningActions.length === 0) break;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
}
