import { join } from 'node:path';
import { writeEnvironmentFile, databaseVariables } from '../../../embedded/demo-data.ts';
import { ensureDatabases } from '../../../embedded/stack.ts';
import type { CommandContext } from '../../command.ts';
import { ensureLocalStack } from '../../stack.ts';
import { giveUpFolder } from './run-folder.ts';
import { contextOf } from './shown-command.ts';
import type { Stage } from './stage.ts';

/** A stage that stays after the demo. */
export interface KeptStage {
  readonly folder: string;
  /** To be sourced by a shell; 0600, it holds passwords. */
  readonly environmentFile: string;
  readonly uiUrl: string;
}

/**
 * Ends the stage's processes, which would die with this one, and starts the same data, histories and backups again in the
 * background. `lifeboat down` in the environment of the file ends them.
 */
export async function handOver(context: CommandContext, stage: Stage): Promise<KeptStage> {
  const { folder, tools, variables } = stage;
  const onPhase = (line: string): void => context.output.note(line);
  await stage.stop();
  const databases = await ensureDatabases({ stateDir: folder, named: tools, signal: context.signal, onPhase });
  const { LIFEBOAT_HOME, LIFEBOAT_CONFIG } = variables;
  const kept = {
    ...databaseVariables(databases),
    LIFEBOAT_HOME: LIFEBOAT_HOME ?? folder,
    LIFEBOAT_CONFIG: LIFEBOAT_CONFIG ?? '',
  };
  const inside = contextOf(context, { folder, variables: kept });
  const { uiUrl } = await ensureLocalStack(inside, await inside.config());
  const environmentFile = join(folder, 'environment');
  await writeEnvironmentFile(environmentFile, kept);
  await giveUpFolder(folder);
  return { folder, environmentFile, uiUrl: uiUrl ?? '' };
}
