import { inheritedEnvironment } from '../../../platform/environment.ts';
import type { LoadedConfig } from '../../../config/load-config.ts';
import { LifeboatError } from '../../../domain/errors.ts';
import type { CommandContext } from '../../command.ts';
import { buildProgram, type Invocation } from '../../program.ts';

/** Where a command line is played: its configuration, and nothing of the person's own. */
export interface Scene {
  readonly folder: string;
  readonly variables: Readonly<Record<string, string>>;
}

/** The context in which a command sees the demo's world. */
export function contextOf(context: CommandContext, { folder, variables }: Scene): CommandContext {
  const env = { ...inheritedEnvironment(), ...variables };
  let loaded: Promise<LoadedConfig> | undefined;
  return {
    ...context,
    env,
    cwd: folder,
    config: () =>
      (loaded ??= import('../../../config/load-config.ts').then(({ loadConfig }) => loadConfig({ env, cwd: folder }))),
    // What the demo started ends with it, so there is nothing to come back to.
    onInterrupt: () => undefined,
  };
}

/** Shows a command line, runs it as if it had been typed, shows its answer, and gives the same answer as JSON. */
export async function runShown(context: CommandContext, line: string): Promise<Readonly<Record<string, unknown>>> {
  const { output, progress } = context;
  output.note(`\n$ lifeboat ${line}`);
  const { command, input } = await parse(context, line);
  try {
    const result = await command.run(context, input);
    progress.stop();
    output.note(await result.text());
    if (result.failure) throw result.failure;
    return result.json;
  } finally {
    progress.stop();
  }
}

async function parse({ commands }: CommandContext, line: string): Promise<Invocation> {
  let found: Invocation | undefined;
  const program = buildProgram({
    commands,
    groups: {},
    version: '',
    run: async (invocation) => void (found = invocation),
    writeOut: () => undefined,
    writeErr: () => undefined,
  });
  await program.parseAsync(line.split(' '), { from: 'user' });
  if (found === undefined) throw new LifeboatError('INTERNAL', `run ${line}: no such command`);
  return found;
}
