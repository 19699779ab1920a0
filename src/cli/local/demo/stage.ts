import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { startDatabases, type LocalDatabases } from '../../../embedded/databases.ts';
import { databaseVariables } from '../../../embedded/demo-data.ts';
import { startGuarded } from '../../../embedded/local-server.ts';
import { PROJECT_DIR } from '../../../embedded/places.ts';
import { temporalCommand, temporalVariables } from '../../../embedded/temporal-server.ts';
import { WORKER_MEMORY } from '../../../embedded/worker-memory.ts';
import { createToolbox, type NamedTools } from '../../../embedded/toolbox.ts';
import { freePort } from '../../../platform/ports.ts';
import { generateKeys } from '../generate-keys.ts';

/** All that the demo plays on. Every process in it ends with this one, whatever ends this one. */
export interface Stage {
  readonly folder: string;
  /** Variables that point Lifeboat at this stage; they hold passwords. */
  readonly variables: Readonly<Record<string, string>>;
  readonly tools: NamedTools;
  readonly databases: LocalDatabases;
  readonly uiUrl: string;
  /** Ends all processes, those that use others first. */
  stop(): Promise<void>;
}

interface StageOptions {
  readonly stateDir: string;
  readonly folder: string;
  readonly signal: AbortSignal;
  readonly onPhase: (line: string) => void;
  /** Makes the data, before there is a worker whose journals would record how it is made. */
  readonly fill: (databases: LocalDatabases) => Promise<void>;
}

/** Shorter than the default: a demo has no day to wait for its second. */
const JOURNAL_FLUSH_SECONDS = 1;
/** A worker may finish what is in flight. */
const WORKER_GRACE_MS = 10_000;

/** Starts PostgreSQL, Redis, Temporal and a worker in the folder. Throws what provisioning throws, and SERVER_NOT_STARTED. */
export async function openStage(options: StageOptions): Promise<Stage> {
  const running: (() => Promise<unknown>)[] = [];
  const stop = async (): Promise<void> => {
    for (let end = running.pop(); end !== undefined; end = running.pop()) await end();
  };
  try {
    const toolbox = createToolbox(options);
    const tools = {
      temporalCli: await toolbox.temporalCli(),
      postgresBinDir: await toolbox.postgresBinDir(),
      redisServer: (await toolbox.redis()).serverPath,
    };
    const [databases, temporal] = await settled([
      startDatabases({ ...options, stateDir: options.folder, toolbox }).then(async (started) => {
        running.push(() => started.stop());
        await options.fill(started);
        return started;
      }),
      startTemporal(tools.temporalCli, options.folder).then((started) => {
        running.push(() => started.end());
        return started;
      }),
    ]);
    options.signal.throwIfAborted();
    const { folder } = options;
    const variables = {
      ...databaseVariables(databases),
      LIFEBOAT_HOME: folder,
      LIFEBOAT_CONFIG: await configure(folder, tools),
      ...temporalVariables(temporal.address),
    };
    const worker = await startWorker(folder, variables, temporal.address);
    running.push(() => worker.end());
    return { folder, variables, tools, databases, uiUrl: temporal.uiUrl, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Like Promise.all, but waits for all before it rejects: what came up meanwhile must be known to be ended. */
async function settled<A, B>(both: readonly [Promise<A>, Promise<B>]): Promise<[A, B]> {
  await Promise.allSettled(both);
  return Promise.all(both);
}

async function startTemporal(
  cliPath: string,
  stateDir: string,
): Promise<{ address: string; uiUrl: string; end(): Promise<unknown> }> {
  const folder = join(stateDir, 'temporal');
  await mkdir(folder, { mode: 0o700 });
  // Not the usual ports: those are left to a stack that stays.
  const [port, uiPort] = await Promise.all([freePort(), freePort()]);
  const databaseFile = join(folder, 'temporal.db');
  const child = await startGuarded(temporalCommand({ cliPath, port, uiPort, databaseFile, folder }));
  return { address: `127.0.0.1:${port}`, uiUrl: `http://127.0.0.1:${uiPort}`, end: () => child.end() };
}

/** The configuration of the demo, as a person would write it: encryption and journals on, with a key made here. */
async function configure(folder: string, tools: NamedTools): Promise<string> {
  await mkdir(join(folder, 'config'), { mode: 0o700 });
  const file = join(folder, 'config', 'backup.json');
  const keyPath = join(folder, 'config', 'backup-encryption.key');
  const signingPath = join(folder, 'config', 'lifeboat-signing.key');
  await generateKeys({ keyringPath: keyPath, signingPath });
  const config = {
    storage: { localPath: join(folder, 'backups') },
    encryption: { enabled: true, keyPath },
    signing: { keyPath: signingPath },
    journal: { enabled: true, flushSeconds: JOURNAL_FLUSH_SECONDS },
    postgres: { binDir: tools.postgresBinDir },
    embedded: { temporalCli: tools.temporalCli },
    temporal: { namespace: 'default' },
    log: { path: join(folder, 'logs', 'worker.log') },
  };
  await writeFile(file, `${JSON.stringify(config, null, 2)}\n`, { mode: 0o600 });
  return file;
}

async function startWorker(
  folder: string,
  variables: Readonly<Record<string, string>>,
  temporalAddress: string,
): Promise<{ end(): Promise<unknown> }> {
  const { connectClient, localTemporal } = await import('../../../temporal/connection.ts');
  const { missingWorkers } = await import('../../../client/workers.ts');
  const connected = await connectClient(localTemporal(temporalAddress), 'demo');
  try {
    return await startGuarded({
      name: 'worker',
      command: process.execPath,
      args: [...WORKER_MEMORY.nodeArguments, join(PROJECT_DIR, 'src', 'worker.ts')],
      env: { ...WORKER_MEMORY.environment, ...variables },
      cwd: folder,
      graceMs: WORKER_GRACE_MS,
      isReady: async () => (await missingWorkers(connected.client, 'default')).length === 0,
    });
  } finally {
    await connected.close();
  }
}
