import type { LoadedConfig } from '../config/load-config.ts';
import { durationMs } from '../domain/duration.ts';
import type { Command, CommandContext } from './command.ts';
import { FLAG_KEYS, type GlobalValues } from './globals.ts';
import type { Interrupts } from './interrupts.ts';
import { flagName } from './options.ts';
import { createOutput } from './output.ts';
import { createProgressView, type ProgressOptions, type ProgressView } from './progress.ts';
import type { Surroundings } from './surroundings.ts';

export interface ContextParts {
  readonly around: Surroundings;
  /** Values of the global options. */
  readonly globals: GlobalValues;
  readonly wantsJson: boolean;
  readonly interrupts: Interrupts;
  readonly commands: readonly Command[];
}

/** The context of one command, and `close`, which clears what is still on the screen. */
export function createCommandContext({ around, globals, wantsJson, interrupts, commands }: ContextParts): {
  readonly context: CommandContext;
  close(): void;
} {
  const { env, cwd, stdin, stderr } = around;
  const quiet = globals.quiet === true;
  const output = createOutput({ ...around, quiet });
  let settings: LoadedConfig['config']['progress'] | undefined;
  const progress = lazyProgress(() => createProgressView(progressOptions(stderr, settings, quiet)));
  let loaded: Promise<LoadedConfig> | undefined;
  const load = async (): Promise<LoadedConfig> => {
    const answer = await readConfig(around, globals);
    settings = answer.config.progress;
    for (const warning of answer.warnings) output.warn(warning);
    return answer;
  };
  const context: CommandContext = {
    commands,
    env,
    cwd,
    json: wantsJson,
    interactive: stdin.isTTY === true && stderr.isTTY === true && !wantsJson,
    output,
    progress,
    signal: interrupts.signal,
    config: () => (loaded ??= load()),
    onInterrupt: (lines) => interrupts.explain(lines),
  };
  return { context, close: () => progress.stop() };
}

/** Between two lines of progress, when no configuration was read. */
const DEFAULT_INTERVAL_MS = 10_000;

function progressOptions(
  stream: Surroundings['stderr'],
  settings: LoadedConfig['config']['progress'] | undefined,
  quiet: boolean,
): ProgressOptions {
  const asked = settings === undefined || settings.mode === 'auto' ? undefined : settings.mode;
  const mode = quiet ? 'none' : (asked ?? (stream.isTTY === true ? 'live' : 'lines'));
  return { mode, stream, intervalMs: settings === undefined ? DEFAULT_INTERVAL_MS : durationMs(settings.interval) };
}

/** The configuration, read after the context is made, says how progress is shown: so the view is made when it is first used. */
function lazyProgress(create: () => ProgressView): ProgressView {
  let view: ProgressView | undefined;
  return { update: (rows) => (view ??= create()).update(rows), stop: () => view?.stop() };
}

async function readConfig({ env, cwd }: Surroundings, globals: GlobalValues): Promise<LoadedConfig> {
  const { loadConfig } = await import('../config/load-config.ts');
  const given = new Map<string, unknown>(Object.entries(globals));
  const values = Object.fromEntries(
    Object.entries(FLAG_KEYS)
      .map(([option, key]) => [key, { value: given.get(option), flag: flagName(option) }] as const)
      .filter(([, { value }]) => value !== undefined),
  );
  return loadConfig({ flags: { config: globals.config, values }, env, cwd });
}
