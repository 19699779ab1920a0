/** Two servers with streaming, the program of their hosts, and a writer that knows what was acknowledged. */
import { existsSync } from 'node:fs';
import { chown, readFile, rm, writeFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Client } from 'pg';
import { createAuthorities, createMandate, type Authorities, type Mandate } from '../../../src/failover/epoch.ts';
import type { HostProgram } from '../../../src/failover/host/host-program.ts';
import type { PostgresNode } from '../../../src/failover/postgres/node.ts';
import { observePostgres } from '../../../src/failover/postgres/observe.ts';
import { unprivilegedUser } from '../../../src/platform/unprivileged-user.ts';
import type { PostgresTarget } from '../../../src/postgres/postgres.ts';
import { createMemoryStore } from '../../../src/storage/memory-store.ts';
import type { Region, Regions } from '../../support/regions.ts';
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

/** `a` is the primary; the mandate is that of epoch 1, to bring it to `b`. In regions of their own they stream without the line that can be cut. */
export async function startPair(regions?: Pick<Regions, 'a' | 'b'>): Promise<TestPair> {
  const settings = { wal_keep_size: '256MB', checkpoint_timeout: '1h' };
  const a = await startPostgres(regions === undefined ? { settings } : { settings, place: regions.a });
  const line = await startCut(a.target.port, { after: Number.POSITIVE_INFINITY });
  const near = { ...a.target, ...(regions === undefined ? { port: line.port } : {}) };
  const b = await startStandby({ ...a, target: near }, regions?.b);
  const nodes = {
    a: { name: 'a', target: a.target, host: await hostOf(a, a.dataDir, regions?.a) },
    b: { name: 'b', target: b.target, host: await hostOf(a, b.dataDir, regions?.b) },
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

const PROGRAM = fileURLToPath(new URL('../../../bin/lifeboat-postgres-host', import.meta.url));

/** The program that hosts have, under the account of the servers in the place of ssh. */
async function hostOf(
  a: Pick<TestPostgres, 'binDir' | 'target'>,
  dataDir: string,
  region?: Region,
): Promise<HostProgram> {
  const user = (await unprivilegedUser()) ?? undefined;
  const folder = dirname(dataDir);
  const conf = join(folder, 'host.conf');
  const passfile = join(folder, 'host-passfile');
  await writeFile(passfile, `*:*:*:*:${a.target.password}\n`, { mode: 0o600 });
  // The server's own test is what starts it, so that it dies with the test; here that is only asked for.
  const start = `sh -c 'touch ${folder}/start-asked; until pg_ctl status -D ${dataDir}; do sleep 0.1; done'`;
  await writeFile(
    conf,
    `PG_BIN=${a.binDir}\nCONNINFO=passfile=${passfile}\nSTART=start_by_test\nstart_by_test() { ${start}; }\n`,
  );
  if (user !== undefined) await Promise.all([conf, passfile].map(async (path) => chown(path, user.uid, user.gid)));
  const account = user === undefined ? [] : ['setpriv', `--reuid=${user.uid}`, `--regid=${user.gid}`, '--clear-groups'];
  // The project may lie where that account cannot go: the shell reads the program before it becomes the account.
  const program = await readFile(PROGRAM, 'utf8');
  const command = [
    ...(region?.remotely ?? []),
    ...account,
    'env',
    `LIFEBOAT_HOST_CONF=${conf}`,
    'sh',
    '-c',
    program,
    'lifeboat-postgres-host',
    dataDir,
  ];
  return { command, timeoutMs: 60_000 };
}

/** The service manager of `a`: starts it when its host is told to. */
export async function withStarts<T>({ a }: Pick<TestPair, 'a'>, work: () => Promise<T>): Promise<T> {
  const asked = join(a.dataDir, '..', 'start-asked');
  await rm(asked, { force: true });
  let over = false;
  const watch = async (): Promise<void> => {
    while (!over && !existsSync(asked)) await delay(50);
    if (!over) await a.restart();
  };
  const watching = watch();
  try {
    return await work();
  } finally {
    over = true;
    await watching;
  }
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
  let id = from;
  const write = async (target: PostgresTarget): Promise<void> => {
    const client = new Client({ ...target, ssl: false, connectionTimeoutMillis: 2_000 });
    client.on('error', () => undefined);
    try {
      await client.connect();
      while (!stopping.signal.aborted) {
        id += 1;
        await client.query('insert into written values ($1)', [id]);
        acknowledged.add(id);
      }
    } finally {
      await client.end().catch(() => undefined);
    }
  };
  const run = async (): Promise<void> => {
    for (let turn = 0; !stopping.signal.aborted; turn += 1) {
      // Read-only, gone or going: the number was not acknowledged, and the next server is tried.
      await write(targets[turn % targets.length]!).catch(async () => delay(10));
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
