import { LifeboatError } from '../../domain/errors.ts';
import { runChild } from '../../platform/child-process.ts';
import type { PostgresServerTools } from '../physical/physical.ts';
import { libraryPath } from '../tools/tool-environment.ts';

/** Settings that a server in recovery must have at least as high as the server its WAL comes from. */
export const MINIMUM_SETTINGS = {
  max_connections: 'max_connections setting',
  max_worker_processes: 'max_worker_processes setting',
  max_wal_senders: 'max_wal_senders setting',
  max_prepared_transactions: 'max_prepared_xacts setting',
  max_locks_per_transaction: 'max_locks_per_xact setting',
} as const;

export type MinimumSettings = Readonly<Record<keyof typeof MINIMUM_SETTINGS, number>>;

const LIMIT_MS = 20_000;

/** @throws LifeboatError POSTGRES_SCRATCH_FAILED where it is no data directory of this version */
export async function readMinimumSettings(tools: PostgresServerTools, directory: string): Promise<MinimumSettings> {
  const line = await readControlFile(tools, directory);
  const read = ([name, label]: [string, string]): [string, number] => {
    const value = Number(line(label));
    if (Number.isInteger(value)) return [name, value];
    throw unreadable(directory, `"${label}" is no number`);
  };
  return Object.fromEntries(Object.entries(MINIMUM_SETTINGS).map(read)) as MinimumSettings;
}

/** `shut down`, `in production`, `in archive recovery`. @throws LifeboatError POSTGRES_SCRATCH_FAILED */
export async function readClusterState(tools: PostgresServerTools, directory: string): Promise<string> {
  return (await readControlFile(tools, directory))('Database cluster state');
}

/** Gives what stands behind a label. */
async function readControlFile(tools: PostgresServerTools, directory: string): Promise<(label: string) => string> {
  const command = tools.pgControldata;
  const { stdout, exit } = await runChild({
    name: 'pg_controldata',
    command,
    args: ['--pgdata', directory],
    env: { ...libraryPath(command), LC_ALL: 'C' },
    signal: AbortSignal.timeout(LIMIT_MS),
  });
  if (exit.code !== 0) throw unreadable(directory, exit.stderrTail);
  const lines = new Map(stdout.split('\n').map((line) => splitOnce(line, ':')));
  return (label) => {
    const found = lines.get(label);
    if (found === undefined) throw unreadable(directory, `no line "${label}"`);
    return found;
  };
}

function unreadable(directory: string, facts: string): LifeboatError {
  return new LifeboatError('POSTGRES_SCRATCH_FAILED', `read the control file of ${directory}: ${facts}`);
}

function splitOnce(line: string, separator: string): [string, string] {
  const at = line.indexOf(separator);
  return at === -1 ? [line, ''] : [line.slice(0, at).trim(), line.slice(at + separator.length).trim()];
}
