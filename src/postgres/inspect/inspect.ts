import { explainLockTimeout } from '../connection/lock-timeout.ts';
import { withSession, type Session } from '../connection/session.ts';
import { SYSTEM_SCHEMA } from '../facts/catalog-facts.ts';
import type { PostgresSource, PostgresTarget } from '../postgres.ts';
import { requireToolsFor, type ToolVersions } from '../tools/client-tools.ts';
import { requireReadRights } from './read-rights.ts';
import { listBigTables, locksAreTight, readServer, type Server } from './server.ts';

/** How long a table that is locked by somebody else may hold up a survey; the caller tries again. */
const LOCK_WAIT_MS = 5_000;

/** See Postgres.inspect. */
export async function inspectDatabase(
  target: PostgresTarget,
  options: { readonly bigTableBytes: number },
  versions: ToolVersions,
): Promise<PostgresSource> {
  const doing = `inspect database ${target.database}`;
  return withSession(target, { doing }, async (session) => {
    const server = await readServer(session);
    requireToolsFor(versions, server.serverVersion);
    await requireReadRights(session, target);
    // Asking a table for its size waits for its lock; without a bound a locked table would hold up the whole survey in silence.
    await session.query(`SET lock_timeout = ${LOCK_WAIT_MS}`);
    const bigTables = await listBigTables(session, options.bigTableBytes).catch(async (error: unknown) => {
      throw await explainLockTimeout(session, error, { doing, timeoutMs: LOCK_WAIT_MS });
    });
    const warnings = describeWarnings(await readOddities(session), server);
    const { lockRoom: _, ...facts } = server;
    return {
      ...facts,
      database: target.database,
      bigTables: bigTables.map(({ oid, name, bytes }) => ({ oid, name, bytes })),
      warnings,
    };
  });
}

interface Oddities {
  readonly unlogged: number;
  readonly foreignTables: number;
  readonly subscriptions: number;
  readonly slots: number;
  readonly prepared: number;
  readonly standby: boolean;
}

const ODDITIES = `
  SELECT (SELECT count(*)::int FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
      WHERE c.relkind = 'r' AND c.relpersistence = 'u' AND NOT (${SYSTEM_SCHEMA})) AS unlogged,
    (SELECT count(*)::int FROM pg_class WHERE relkind = 'f') AS "foreignTables",
    (SELECT count(*)::int FROM pg_subscription s JOIN pg_database d ON d.oid = s.subdbid WHERE d.datname = current_database()) AS subscriptions,
    (SELECT count(*)::int FROM pg_replication_slots WHERE database = current_database()) AS slots,
    (SELECT count(*)::int FROM pg_prepared_xacts WHERE database = current_database()) AS prepared,
    pg_is_in_recovery() AS standby`;

async function readOddities(session: Session): Promise<Oddities> {
  return session.one<Oddities>(ODDITIES);
}

function describeWarnings(found: Oddities, server: Server): string[] {
  const warnings: (string | false)[] = [
    !server.superuser && 'the role is no superuser: passwords of roles are not in the backup',
    found.unlogged > 0 &&
      `${found.unlogged} unlogged tables: their rows are in the backup, although a crash of the server would empty them`,
    found.foreignTables > 0 &&
      `${found.foreignTables} foreign tables: their rows stay on the other server and are not in the backup`,
    found.subscriptions > 0 &&
      `${found.subscriptions} subscriptions: a restore brings them back ${server.superuser ? 'disabled and without a slot' : 'only when a superuser takes the backup'}`,
    found.slots > 0 && `${found.slots} logical replication slots: no backup holds them, a restore needs new ones`,
    found.prepared > 0 &&
      `${found.prepared} prepared transactions: they are not in the backup, and they keep a restore from replacing the database`,
    found.standby && 'the server is a standby: a conflict with replay can end the dump, which is then tried again',
    locksAreTight(server) &&
      `${server.tables} tables for ${server.lockRoom} locks of the server: the pieces are dumped one after the other; raise max_locks_per_transaction`,
  ];
  return warnings.filter((warning) => warning !== false);
}
