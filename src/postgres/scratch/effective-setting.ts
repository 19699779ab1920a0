import { runChild } from '../../platform/child-process.ts';
import type { PostgresServerTools } from '../physical/physical.ts';
import { libraryPath } from '../tools/tool-environment.ts';
import { serverAccount } from './server-account.ts';

const LIMIT_MS = 20_000;

/**
 * What a setting will be when a server starts on a data directory with its own configuration (`postgres -C`), or why that cannot be
 * told: the configuration may name files of another host.
 */
export async function readEffectiveSetting(
  tools: PostgresServerTools,
  directory: string,
  setting: string,
): Promise<{ readonly value: string } | { readonly problem: string }> {
  const user = await serverAccount();
  const { stdout, exit } = await runChild({
    name: 'postgres',
    command: tools.postgres,
    args: ['-C', setting, '-D', directory],
    env: { ...libraryPath(tools.postgres), LC_ALL: 'C' },
    cwd: directory,
    signal: AbortSignal.timeout(LIMIT_MS),
    ...(user === undefined ? {} : { user }),
  });
  return exit.code === 0 ? { value: stdout.trim() } : { problem: exit.stderrTail };
}
