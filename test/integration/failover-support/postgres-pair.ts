/** Two servers with streaming, the commands of their hosts, and a writer that knows what was acknowledged. */
import { setTimeout as delay } from 'node:timers/promises';
import { join } from 'node:path';
import { Client } from 'pg';
import { createAuthorities, createMandate, type Authorities, type Mandate } from '../../../src/failover/epoch.ts';
import type { HostCommands } from '../../../src/failover/host/host-commands.ts';
import type { PostgresNode } from '../../../src/failover/postgres/node.ts';
import { observePostgres } from '../../../src/failover/postgres/observe.ts';
import { unprivilegedUser } from '../../../src/platform/unprivileged-user.ts';
import type { PostgresTarget } from '../../../src/postgres/postgres.ts';
import { createMemoryStore } from '../../../src/storage/memory-store.ts';
import { startCut } from '../../support/tcp-cut.ts';
import { startPostgres, type TestPostgres } from '../../support/servers.ts';
import { startStandby, until, type TestCopy } from '../postgres-wal-support/wal-server.ts';

export const NEVER = new AbortController().signal;
export const LIMITS = { maxLagBytes: 16_777_216, maxSilentSeconds: 10 };

export interface TestPair {
  readonly a: TestPostgres;
  readonly b: TestCopy;
  readonly nodes: { readonly a: PostgresNode; readonly b: PostgresNode };
  readonly systemIdentifier: string;
  readonly authorities: Authorities;
  readonly mandate: Mandate;
  /** Ends the line on which `b` streams from `a`, for good. */
  cut(): Promise<void>;
  stop(): Promise<void>;
}

/** `a` is the primary; the mandate is that of epoch 1, to bring it to `b`. */
export async function startPair(): Promise<TestPair> {
  const a = await startPostgres({ settings: { wal_keep_size: '256MB', checkpoint_timeout: '1h' } });
  const line = await startCut(a.target.port, { after: Number.POSITIVE_INFINITY });
  const b = await startStandby({ ...a, target: { ...a.target, port: line.port } });
  const nodes = {
    a: { name: 'a', target: a.target, host: await commandsOf(a.binDir, a.dataDir) },
    b: { name: 'b', target: b.target, host: await commandsOf(a.binDir, b.dataDir) },
  };
  await a.query('create table written (id bigint primary key)');
  await until(async () => {
    const { rows } = await a.query("select 1 from pg_stat_replication where state = 'streaming'");
    return rows.length === 1;
  }, 'b streams');
  const view = await observePostgres(nodes.a, NEVER);
  if (!view.answers) throw new Error(view.reason);
  const authorities = createAuthorities({ store: createMemoryStore(), now: () => new Date() });
  const authority = await authorities.take({ service: 'auth', region: 'b', holder: 'test', after: 0 });
  return {
    a,
    b,
    nodes,
    systemIdentifier: view.systemIdentifier,
    authorities,
    mandate: createMandate(authorities, authority),
    cut: async () => line.close(),
    async stop() {
      await line.close();
      await Promise.all([a.stop(), b.stop()]);
    },
  };
}

/** As the guide has them, with the account of the servers in the place of ssh. */
async function commandsOf(binDir: string, dataDir: string): Promise<HostCommands> {
  const user = (await unprivilegedUser()) ?? undefined;
  const account = user === undefined ? [] : ['setpriv', `--reuid=${user.uid}`, `--regid=${user.gid}`, '--clear-groups'];
  const programs = [
    'env',
    `LD_LIBRARY_PATH=${join(binDir, '..', 'lib')}`,
    `PATH=${binDir}:/usr/bin:/bin`,
    'LC_ALL=C',
    'TZ=UTC',
  ];
  const as = [...account, ...programs];
  const inspect = `cd ${dataDir}; pg_ctl status -D .; pg_controldata -D .; test -e standby.signal && echo standby.signal: present || echo standby.signal: absent`;
  return {
    stop: [...as, 'pg_ctl', 'stop', '-D', dataDir, '-m', 'fast', '-w', '-t', '60'],
    start: [...as, 'pg_ctl', 'start', '-D', dataDir, '-w', '-t', '60'],
    inspect: [...as, 'sh', '-c', inspect],
    fence: [...as, 'touch', join(dataDir, 'standby.signal')],
    readWal: [...as, 'pg_waldump', `--path=${join(dataDir, 'pg_wal')}`, '--timeline={timeline}', '--start={start}'],
    timeoutMs: 60_000,
  };
}

export interface Writer {
  /** Numbers whose commit the server has acknowledged. */
  readonly acknowledged: ReadonlySet<number>;
  stop(): Promise<void>;
}

/** Inserts numbers in transactions of their own; a connection that breaks is made anew, to the first target that takes writes. */
export function startWriter(targets: readonly PostgresTarget[], from = 0): Writer {
  const acknowledged = new Set<number>();
  const stopping = new AbortController();
  const run = async (): Promise<void> => {
    for (let id = from; !stopping.signal.aborted;) {
      for (const target of targets) {
        const client = new Client({ ...target, ssl: false, connectionTimeoutMillis: 2_000 });
        client.on('error', () => undefined);
        try {
          await client.connect();
          while (!stopping.signal.aborted) {
            id += 1;
            await client.query('insert into written values ($1)', [id]);
            acknowledged.add(id);
          }
        } catch {
          // Read-only, gone or going: the number was not acknowledged, and the next server is tried.
        } finally {
          await client.end().catch(() => undefined);
        }
      }
      await delay(10);
    }
  };
  const running = run();
  return {
    acknowledged,
    async stop() {
      stopping.abort();
      await running;
    },
  };
}

/** How many of the numbers a server does not have. */
export async function missing(server: Pick<TestPostgres, 'query'>, numbers: ReadonlySet<number>): Promise<number> {
  const { rows } = await server.query<{ id: string }>('select id::text from written');
  const found = new Set(rows.map(({ id }) => Number(id)));
  return [...numbers].filter((number) => !found.has(number)).length;
}
