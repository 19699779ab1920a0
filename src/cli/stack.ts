import { createHash } from 'node:crypto';
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { configDigest } from '../config/config-digest.ts';
import type { LoadedConfig } from '../config/load-config.ts';
import { stateDirOf } from '../assembly/state-dir.ts';
import type { Config } from '../config/schema/config.ts';
import { ensureStack, stackStatus } from '../embedded/stack.ts';
import { ENDLESS } from '../contract/names.ts';
import type { NamedTools } from '../embedded/toolbox.ts';
import type { StackStatus } from '../embedded/stack.ts';
import { LifeboatError } from '../domain/errors.ts';
import type { CommandContext } from './command.ts';

/** Brings up Temporal and a worker with this configuration, or leaves them when they run and fit. */
export async function ensureLocalStack(context: CommandContext, loaded: LoadedConfig): Promise<StackStatus> {
  return ensureStack({
    stateDir: stateDirOf(loaded.config),
    workerEnv: workerEnvironment(context, loaded),
    workerCwd: context.cwd,
    configDigest: `${configDigest(loaded.config)} ${codeDigest()}`,
    signal: context.signal,
    beforeReplacingWorker: refuseWhileInUse,
    named: namedTools(loaded.config),
    onPhase: (line) => context.output.note(line),
  });
}

/** The local stack where Temporal and a worker run, whatever that worker's configuration. */
export async function runningLocalStack({ config }: LoadedConfig): Promise<StackStatus | undefined> {
  const status = await stackStatus({ stateDir: stateDirOf(config) });
  const works = status.services.some(({ name, state }) => name === 'worker' && state === 'running');
  return works && status.temporalAddress !== undefined ? status : undefined;
}

/** Programs that the configuration names; they win over what is found or downloaded. */
export function namedTools({ embedded, postgres }: Config): NamedTools {
  const { temporalCli, redisServer } = embedded;
  return { temporalCli, redisServer, postgresBinDir: postgres.binDir };
}

/**
 * A retry of what runs now would act on the databases of the other configuration. What has no end
 * always runs: it hands over, and knows another server when it meets one. @throws LifeboatError WORKER_IN_USE
 */
async function refuseWhileInUse(address: string): Promise<void> {
  const { connectClient, localTemporal } = await import('../temporal/connection.ts');
  const { client, close } = await connectClient(localTemporal(address), 'cli:stack');
  try {
    for await (const { workflowId, type } of client.workflow.list({ query: OPERATIONS })) {
      throw new LifeboatError(
        'WORKER_IN_USE',
        `${type} runs under ${workflowId} on a worker with another configuration`,
        {
          details: { workflowId, type },
        },
      );
    }
  } finally {
    await close();
  }
}

const OPERATIONS = ["ExecutionStatus = 'Running'", ...ENDLESS.map((type) => `WorkflowType != '${type}'`)].join(' AND ');

/** The variables that the configuration was read from: the worker reads the same. */
function workerEnvironment({ env }: CommandContext, { file }: LoadedConfig): Record<string, string> {
  const set = Object.entries(env).filter((entry): entry is [string, string] => entry[1] !== undefined);
  // npm's own variables are of the command line, not of the configuration.
  const relevant = set.filter(([name]) => !name.startsWith('npm_'));
  return { ...Object.fromEntries(relevant), ...(file === undefined ? {} : { LIFEBOAT_CONFIG: file }) };
}

/** Changes with the program itself: after an upgrade the worker in the background is of the old version. */
function codeDigest(): string {
  const folder = fileURLToPath(new URL('../', import.meta.url));
  const hash = createHash('sha256');
  for (const name of readdirSync(folder, { recursive: true, encoding: 'utf8' }).toSorted()) {
    if (!name.endsWith('.ts')) continue;
    const { size, mtimeMs } = statSync(join(folder, name));
    hash.update(`${name} ${size} ${mtimeMs}\n`);
  }
  return hash.digest('hex');
}
