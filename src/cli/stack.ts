import { configDigest } from '../config/config-digest.ts';
import type { LoadedConfig } from '../config/load-config.ts';
import { stateDirOf } from '../assembly/state-dir.ts';
import { ensureStack } from '../embedded/stack.ts';
import type { StackStatus } from '../embedded/stack.ts';
import type { CommandContext } from './command.ts';

/** Brings up Temporal and a worker with this configuration, or leaves them when they run and fit. */
export async function ensureLocalStack(context: CommandContext, loaded: LoadedConfig): Promise<StackStatus> {
  return ensureStack({
    stateDir: stateDirOf(loaded.config),
    workerEnv: workerEnvironment(context, loaded),
    workerCwd: context.cwd,
    configDigest: configDigest(loaded.config),
    signal: context.signal,
    onPhase: (line) => context.output.note(line),
  });
}

/** The variables that the configuration was read from: the worker reads the same. */
function workerEnvironment({ env }: CommandContext, { file }: LoadedConfig): Record<string, string> {
  const set = Object.entries(env).filter((entry): entry is [string, string] => entry[1] !== undefined);
  // npm's own variables are of the command line, not of the configuration.
  const relevant = set.filter(([name]) => !name.startsWith('npm_'));
  return { ...Object.fromEntries(relevant), ...(file === undefined ? {} : { LIFEBOAT_CONFIG: file }) };
}
