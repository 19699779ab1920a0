import { tmpdir } from 'node:os';
import { findPostgresTools } from '../../assembly/postgres-tools.ts';
import { stateDirOf } from '../../assembly/state-dir.ts';
import type { LoadedConfig } from '../../config/load-config.ts';
import { isPostgresConfigured, postgresTarget } from '../../config/postgres-target.ts';
import { type ErrorCode, toLifeboatError } from '../../domain/errors.ts';
import { createPostgres } from '../../postgres/create-postgres.ts';
import type { PostgresSource, PostgresTools } from '../../postgres/postgres.ts';
import { formatBytes } from '../units.ts';
import { type ConfigCheck, fail, pass, skip } from './check.ts';

const TOOLS = 'postgresql client tools';
const CONNECTION = 'postgresql connection';
const RIGHTS = 'postgresql rights';
const WAL = 'postgresql wal';

/** Failures of one call that belong to another check than the connection. */
const BLAME: Partial<Record<ErrorCode, string>> = {
  POSTGRES_TOOL_MISSING: TOOLS,
  POSTGRES_TOOL_TOO_OLD: TOOLS,
  TOOL_MISSING: TOOLS,
  POSTGRES_RIGHTS_MISSING: RIGHTS,
};

/** Tools, connection, rights and WAL level of the PostgreSQL under protection. Nothing is changed. */
export async function checkPostgres(
  loaded: LoadedConfig,
): Promise<{ readonly checks: readonly ConfigCheck[]; readonly databaseBytes: number | undefined }> {
  if (!isPostgresConfigured(loaded)) {
    const hint = 'set DATABASE_URL, or postgres.url in the configuration';
    return { checks: [skip(CONNECTION, 'no PostgreSQL is configured', hint)], databaseBytes: undefined };
  }
  try {
    const tools = await findPostgresTools(loaded.config, stateDirOf(loaded.config));
    const source = await inspect(loaded, tools);
    return { checks: describe(source, tools), databaseBytes: source.databaseBytes };
  } catch (error) {
    const name = BLAME[toLifeboatError(error).code] ?? CONNECTION;
    const others = [TOOLS, CONNECTION, RIGHTS, WAL].filter((other) => other !== name);
    return {
      checks: [fail(name, error), ...others.map((other) => skip(other, `not tried: ${name} failed`))],
      databaseBytes: undefined,
    };
  }
}

function inspect(loaded: LoadedConfig, tools: PostgresTools): Promise<PostgresSource> {
  const { bigTableBytes } = loaded.config.postgres;
  return createPostgres({ tools, scratchDir: tmpdir() }).inspect(postgresTarget(loaded), { bigTableBytes });
}

function describe(source: PostgresSource, tools: PostgresTools): readonly ConfigCheck[] {
  const { server, database, databaseBytes, tables, superuser, canReplicate, walLevel } = source;
  const streaming = canReplicate && walLevel !== 'minimal';
  const obstacle = canReplicate ? `wal_level is ${walLevel}` : 'the role may not replicate';
  return [
    pass(TOOLS, `${tools.pgDump} is new enough for the server`),
    pass(CONNECTION, `PostgreSQL ${server}, database ${database}: ${tables} tables, ${formatBytes(databaseBytes)}`),
    pass(
      RIGHTS,
      superuser
        ? 'superuser: everything can be read'
        : 'everything in the database can be read; passwords of roles cannot',
    ),
    streaming
      ? pass(WAL, `wal_level ${walLevel}, the role may replicate`)
      : skip(
          WAL,
          `no physical copy: ${obstacle}; backups are logical`,
          'ALTER ROLE … REPLICATION, and wal_level = replica, would allow physical copies',
        ),
  ];
}
