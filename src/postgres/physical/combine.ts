import { LifeboatError } from '../../domain/errors.ts';
import type { Operation } from '../../domain/operation.ts';
import { runChild } from '../../platform/child-process.ts';
import { libraryPath } from '../tools/tool-environment.ts';
import type { PostgresServerTools } from './physical.ts';

/** See PhysicalBackup.combine. `--copy` leaves the inputs whole, whatever happens; it fsyncs the result. */
export async function combineBases(
  tools: PostgresServerTools,
  { chain, directory }: { readonly chain: readonly string[]; readonly directory: string },
  { signal, onProgress }: Operation,
): Promise<void> {
  const command = tools.pgCombinebackup;
  if (command === undefined) {
    throw new LifeboatError(
      'POSTGRES_SERVER_MISSING',
      `combine base backups: PostgreSQL ${tools.major} has no pg_combinebackup, 17 is the first version with it`,
    );
  }
  onProgress({ phase: 'combining bases', object: directory, bytes: 0, items: chain.length });
  const args = ['--copy', `--output=${directory}`, ...chain];
  const { exit } = await runChild({ name: 'pg_combinebackup', command, args, env: libraryPath(command), signal });
  if (exit.code === 0) return;
  const how = exit.signal === null ? `exit ${exit.code}` : `ended by ${exit.signal}`;
  throw new LifeboatError(
    'POSTGRES_COMBINE_FAILED',
    `combine base backups: pg_combinebackup: ${how}: ${exit.stderrTail}`,
  );
}
