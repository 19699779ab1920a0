/**
 * Goal: what goes wrong reaches people once, and so does its end, whatever dies in between; no channel waits for a dead one.
 * Method: real PostgreSQL, Redis and Temporal, a worker that is killed, and channels that are a web server, a mail server with TLS and a login, and a port at which
 * nobody listens; what people were told is read where it arrived.
 */
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { AlertsView } from '../../src/contract/alerts.ts';
import type { ActiveAlert, Notice } from '../../src/domain/alerts/alert.ts';
import { createAlertManager, type AlertManager } from '../../src/client/alert-manager.ts';
import { freePort } from '../../src/platform/ports.ts';
import { makeCertificate } from '../support/certificates.ts';
import { startHookServer } from '../support/hook-server.ts';
import { startMailServer } from '../support/mail-server.ts';
import { listFiles, startProduct, type Product } from '../support/product.ts';
import { everyTextOf } from '../support/product/every-text.ts';
import { until } from '../support/product/mid-stream.ts';
import { whenAvailable } from '../support/tools.ts';

const describeAlerts = await whenAvailable('temporal', 'postgres 18', 'redis 7');
const CANARY = 'cAnArY-smtp-7f3a';
const FAILED = 'operation-failed/full';
/** What lasts from the first backup on. */
const LASTING = ['drill-overdue/drill', 'replication-lag/west', 'storage-low/repository', 'storage-low/west'];
const UNVERIFIED = 'plan-needs-verification/careful';

describeAlerts('alerts', () => {
  let folder: string;
  let product: Product;
  let hook: Awaited<ReturnType<typeof startHookServer>>;
  let mail: Awaited<ReturnType<typeof startMailServer>>;
  let manager: AlertManager;

  const notices = (): Notice[] => hook.bodies.map((body) => body['notice'] as Notice);
  const states = (key: string): string[] =>
    notices()
      .filter(({ alert }) => alert.key.startsWith(key))
      .map(({ state }) => state);
  const subjects = (): string[] => mail.mails.map(({ raw }) => /^Subject: (.*)$/m.exec(raw)?.[1]?.trim() ?? '');
  const active = ({ alerts }: Pick<AlertsView, 'alerts'>): string[] => alerts.map(({ key }) => key);

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'lifeboat-alerts-'));
    const { certPath, keyPath } = await makeCertificate(folder);
    const [cert, key] = await Promise.all([readFile(certPath), readFile(keyPath)]);
    hook = await startHookServer();
    mail = await startMailServer({ cert, key, login: { user: 'ops', password: CANARY } });
    const to = { from: 'lifeboat@example', to: ['ops@example'], caPath: certPath };
    product = await startProduct({
      redisVersion: '7',
      env: { MAIL_URL: `smtp://ops:${CANARY}@localhost:${mail.port}`, LIFEBOAT_LOG_LEVEL: 'debug' },
      config: {
        notifications: {
          dead: { type: 'webhook', url: `http://127.0.0.1:${await freePort()}/${CANARY}` },
          ops: { type: 'webhook', url: `${hook.url}?token=${CANARY}` },
          mail: { type: 'email', smtpUrl: { env: 'MAIL_URL' }, ...to },
        },
        // Every disk is fuller than that: one alert lasts from the first backup on.
        alerts: { evaluateEvery: '1s', freeSpace: { warning: 100, critical: 0 }, replicationLag: '1s' },
        drill: { every: '30d' },
        // Nothing is copied while the test runs.
        stores: { west: { url: 'file:./west' } },
        crossRegion: { enabled: true, regions: ['west'], replicationDelay: '1d' },
      },
    });
    const step = { id: 'save', name: 'Save', type: 'backup', order: 1, config: {} };
    await mkdir(join(product.folder, 'config', 'plans'));
    await writeFile(
      join(product.folder, 'config', 'plans', 'careful.json'),
      JSON.stringify({ id: 'careful', name: 'Careful', steps: [step] }),
    );
    manager = createAlertManager({ client: product.client, group: product.group, requestedBy: 'test@here' });
  });
  afterAll(async () => {
    await product?.stop();
    await hook?.stop();
    await mail?.stop();
    await rm(folder, { recursive: true, force: true });
  });

  test('of a channel that is tried arrive marked as a test, from the worker', async () => {
    await product.succeed('alerts', 'test', 'mail');
    expect(subjects()).toContain('[test] Test: operation succeeded: test-of-mail (default)');
    const { exit, json } = await product.cli(['alerts', 'test', 'nobody']);
    expect({ exit, code: json['error'].code }).toEqual({ exit: 2, code: 'NOTIFICATION_UNAVAILABLE' });
    const dead = await product.cli(['alerts', 'test', 'dead']);
    expect({ exit: dead.exit, code: dead.json['error'].code }).toEqual({ exit: 1, code: 'NOTIFICATION_FAILED' });
  });

  test('say that there is no backup, until there is one', async () => {
    await until('the missing backup', () => states('backup-overdue').includes('fire'));
    await product.manager.performFullBackup();
    await until('the end of it', () => states('backup-overdue').includes('resolve'));
    expect(states('backup-overdue')).toEqual(['fire', 'resolve']);
  });

  test('tell of a failed backup by web and by mail, and are in the status', async () => {
    await product.postgres.query(`ALTER DATABASE "${product.database}" RENAME TO away`);
    expect((await product.cli(['backup', 'full'])).exit).not.toBe(0);
    await until('the web server', () => states(FAILED).includes('fire'));
    await until('the mail server', () => subjects().includes('[critical] operation failed: full (default)'));
    expect(mail.mails.every(({ isEncrypted, user }) => isEncrypted && user === 'ops')).toBe(true);

    const listed = await product.cli(['alerts', 'list']);
    expect({ exit: listed.exit, code: listed.json['error'].code }).toEqual({ exit: 3, code: 'ALERTS_ACTIVE' });
    expect(active(listed.json as unknown as AlertsView)).toContain(FAILED);
    const { status } = await product.succeed('status');
    const failed = (status.alerts as ActiveAlert[]).find(({ key }) => key === FAILED);
    expect(failed).toMatchObject({ kind: 'operation-failed', severity: 'critical', firedAt: expect.any(String) });
  });

  test('are not told again when the worker was killed, and their end is told', async () => {
    await product.worker.kill();
    await product.worker.start();
    await manager.lookForAlerts();
    expect(states(FAILED)).toEqual(['fire']);
    await product.postgres.query(`ALTER DATABASE away RENAME TO "${product.database}"`);
    await product.manager.performFullBackup();
    await until('the end on the web', () => states(FAILED).includes('resolve'));
    await until('the end by mail', () => subjects().includes('[info] Resolved: operation failed: full (default)'));
    expect(states(FAILED)).toEqual(['fire', 'resolve']);
  });

  test('tell of a restore once, whether it was seen running or not', async () => {
    await product.manager.restoreFromBackup('latest', { components: ['redis'], dropExisting: true, dryRun: true });
    await product.manager.restoreFromBackup('latest', { components: ['redis'], dropExisting: true });
    await until('the restore', () => states('recovery-running').some((state) => state !== 'fire'));
    await manager.lookForAlerts();
    expect([['pass'], ['fire', 'resolve']]).toContainEqual(states('recovery-running'));
  });

  test('tell of damage that a verification has found, until the same backup is sound', async () => {
    const path = (await listFiles(product.store)).find((name) => /redis\/attempt-1\/snapshot-/.test(name)) ?? '';
    const id = path.split('/')[1] ?? '';
    const bytes = await readFile(join(product.store, path));
    await writeFile(join(product.store, path), bytes.subarray(1));
    expect((await product.cli(['backup', 'verify', id])).exit).toBe(4);
    await until('the damage', () => states(`verification-problem/${id}`).includes('fire'));
    await writeFile(join(product.store, path), bytes);
    await product.succeed('backup', 'verify', id);
    await until('the end of it', () => states(`verification-problem/${id}`).includes('resolve'));
    expect(states('verification-problem')).toEqual(['fire', 'resolve']);
  });

  test('name what is overdue, behind, or was never verified, until a plan is', async () => {
    expect(active(await manager.lookForAlerts()).toSorted()).toEqual([UNVERIFIED, ...LASTING].toSorted());
    await product.succeed('dr', 'validate', 'careful');
    expect(active(await manager.lookForAlerts()).toSorted()).toEqual(LASTING);
    await until('the verified plan', () => states(UNVERIFIED).includes('resolve'));
  });

  test('name a repository that is gone, and nobody is told of it while it may be back', async () => {
    const before = notices().length;
    await rename(product.store, `${product.store}-away`);
    try {
      const view = await manager.lookForAlerts();
      // The room that there is cannot be seen, and so is as it was.
      expect(active(view).toSorted()).toEqual(['repository-unreachable/repository', ...LASTING].toSorted());
      expect(view.alerts[0]?.firedAt).toBeNull();
      // A look makes nothing where a volume is not mounted.
      expect(existsSync(product.store)).toBe(false);
    } finally {
      await rename(`${product.store}-away`, product.store);
    }
    expect(active(await manager.lookForAlerts()).toSorted()).toEqual(LASTING);
    expect(notices()).toHaveLength(before);
  });

  test('wait for a dead channel without end, and hold up no other', async () => {
    const channels = async (): Promise<AlertsView['channels']> => (await manager.readAlerts()).channels;
    await until('all others', async () =>
      (await channels()).every(({ name, pending }) => name === 'dead' || pending === 0),
    );
    const dead = (await channels()).find(({ name }) => name === 'dead');
    const lastError = 'tell channel dead: ECONNREFUSED';
    expect(dead).toMatchObject({ dropped: 0, lastError, nextAt: expect.any(String) });
    expect(dead?.pending).toBeGreaterThan(0);
  });

  test('name a server that does not answer', async () => {
    await product.redis.stop();
    const { alerts } = await manager.lookForAlerts();
    expect(active({ alerts }).toSorted()).toEqual(['database-unreachable/redis', ...LASTING].toSorted());
    expect(alerts[0]).toMatchObject({ severity: 'critical', facts: { code: 'REDIS_UNREACHABLE' } });
  });

  test('give no secret away: not to histories, logs, answers, or those who are told', async () => {
    const texts: string[] = [await readFile(product.env['LIFEBOAT_LOG_PATH'] ?? '', 'utf8')];
    let histories = 0;
    for await (const { workflowId, runId } of product.client.workflow.list()) {
      texts.push(everyTextOf(await product.client.workflow.getHandle(workflowId, runId).fetchHistory()));
      histories += 1;
    }
    const answers = await Promise.all([product.cli(['alerts', 'list']), product.cli(['config', 'show'])]);
    texts.push(...answers.map(({ stdout, stderr }) => stdout + stderr), JSON.stringify(hook.bodies));
    texts.push(...mail.mails.map(({ raw }) => raw));
    expect(histories).toBeGreaterThan(5);
    expect(texts.join('\n')).toContain('operation-failed/full');
    expect(texts.filter((text) => text.includes(CANARY))).toEqual([]);
  });
});
