import { SEARCH_ATTRIBUTES } from '../contract/names.ts';
import type { ServerCommand } from './local-server.ts';
import { temporalServes } from './temporal-probe.ts';

/** A Temporal development server on this machine: no authentication, state in SQLite. */
export interface TemporalServer {
  /** The `temporal` command line tool. */
  readonly cliPath: string;
  readonly port: number;
  /** Port of the Web UI; without it the server runs headless. */
  readonly uiPort?: number;
  /** SQLite file; without it the state is in memory. */
  readonly databaseFile?: string;
  readonly folder: string;
}

/** Names no file, which counts as having no profile; an empty file would be an error of Temporal's reader. */
export const NO_PROFILE_FILE = '/nonexistent/temporal.toml';

/** Variables for a process that uses such a server: nothing of a person's own Temporal settings reaches it. */
export function temporalVariables(address: string): Readonly<Record<string, string>> {
  return { TEMPORAL_ADDRESS: address, TEMPORAL_NAMESPACE: 'default', TEMPORAL_CONFIG_FILE: NO_PROFILE_FILE };
}

/** The command that runs it; ready when it serves the namespace `default`. */
export function temporalCommand(server: TemporalServer): ServerCommand {
  const ui =
    server.uiPort === undefined ? ['--headless'] : ['--ui-port', String(server.uiPort), '--ui-disable-news-fetch'];
  return {
    name: 'temporal',
    command: server.cliPath,
    args: [
      'server',
      'start-dev',
      '--ip=127.0.0.1',
      `--port=${server.port}`,
      '--log-level=warn',
      ...ui,
      ...(server.databaseFile === undefined ? [] : ['--db-filename', server.databaseFile]),
      ...Object.values(SEARCH_ATTRIBUTES).flatMap((name) => ['--search-attribute', `${name}=Keyword`]),
    ],
    // The CLI writes and reads settings under HOME; the embedded server must not depend on a person's.
    env: { HOME: server.folder },
    cwd: server.folder,
    isReady: async () => temporalServes(`127.0.0.1:${server.port}`),
  };
}
