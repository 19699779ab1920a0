import { readFile } from 'node:fs/promises';
import { Duplex } from 'node:stream';
import type { ConnectionOptions } from 'node:tls';
import { Client, type ClientConfig, type QueryResultRow } from 'pg';
import { LifeboatError } from '../../domain/errors.ts';
import type { PostgresTarget } from '../postgres.ts';
import { fromPostgresError, propertyOf, sqlState } from './sql-errors.ts';

export interface SessionRequest {
  /** Leads error messages: `inspect database auth`. */
  readonly doing: string;
  /** Another database than the target's. */
  readonly database?: string;
  readonly applicationName?: string;
  /** `true`: the server takes commands of the physical replication protocol instead of SQL. For openClient alone. */
  readonly replication?: 'true';
  /** How long the server may take to let us in; 15 s by default. */
  readonly connectTimeoutMs?: number;
  /** Abort ends the statement on the server too, and every call rejects with the reason. */
  readonly signal?: AbortSignal;
}

/** One connection, with every timeout of the server switched off and names resolved in pg_catalog only. */
export interface Session {
  readonly pid: number;
  /** Rows of one statement, or of the last of several. Rejects with a LifeboatError of the SQLSTATE. */
  query<Row extends QueryResultRow>(sql: string, values?: readonly unknown[]): Promise<Row[]>;
  /** The row of a statement that always has one. */
  one<Row extends QueryResultRow>(sql: string, values?: readonly unknown[]): Promise<Row>;
  /** Closes the connection; an open transaction is rolled back. Never rejects. */
  end(): Promise<void>;
}

const CONNECT_TIMEOUT_MS = 15_000;
/** For the second connection that ends what the first one does; an unreachable server must not delay an abort. */
const CANCEL_TIMEOUT_MS = 5_000;

/** A server or role may be set up to end slow statements or idle transactions; a dump is both. */
const SETUP = `
  SELECT pg_backend_pid() AS pid, set_config('search_path', '', false), set_config('row_security', 'off', false),
    set_config('default_transaction_read_only', 'off', false), set_config('default_transaction_isolation', 'read committed', false),
    (SELECT count(set_config(name, '0', false)) FROM pg_catalog.pg_settings WHERE name IN ('statement_timeout', 'lock_timeout',
      'idle_in_transaction_session_timeout', 'idle_session_timeout', 'transaction_timeout'))`;

/** @throws LifeboatError POSTGRES_UNREACHABLE, POSTGRES_AUTH_FAILED, POSTGRES_DATABASE_MISSING and the like */
export async function openSession(target: PostgresTarget, request: SessionRequest): Promise<Session> {
  request.signal?.throwIfAborted();
  const client = await connect(target, request);
  const backend = { pid: 0 };
  const session = superviseClient(client, { target, request, backend });
  try {
    backend.pid = (await session.one<{ pid: number }>(SETUP)).pid;
    return session;
  } catch (error) {
    await session.end();
    throw error;
  }
}

/** Gives `use` a session and ends it whatever happens. */
export async function withSession<T>(
  target: PostgresTarget,
  request: SessionRequest,
  use: (session: Session) => Promise<T>,
): Promise<T> {
  const session = await openSession(target, request);
  try {
    return await use(session);
  } finally {
    await session.end();
  }
}

/** Runs `work` in a transaction. A failure rolls it back and is thrown as it is. */
export async function inTransaction<T>(session: Session, begin: string, work: () => Promise<T>): Promise<T> {
  await session.query(begin);
  try {
    const result = await work();
    await session.query('COMMIT');
    return result;
  } catch (error) {
    // The connection may be gone, and with it the transaction: the first error is the one that says why.
    await session.query('ROLLBACK').catch(() => undefined);
    throw error;
  }
}

function superviseClient(
  client: Client,
  context: {
    readonly target: PostgresTarget;
    readonly request: SessionRequest;
    readonly backend: { readonly pid: number };
  },
): Session {
  const { doing, signal } = context.request;
  // Without a listener the loss of an idle connection would end the process; the next query reports it.
  client.on('error', () => undefined);
  let cancelled: Promise<void> = Promise.resolve();
  const onAbort = (): void => {
    cancelled = terminateBackend(context.target, context.backend.pid).finally(() => destroySocket(client));
  };
  signal?.addEventListener('abort', onAbort, { once: true });

  const query = async <Row extends QueryResultRow>(sql: string, values?: readonly unknown[]): Promise<Row[]> => {
    signal?.throwIfAborted();
    try {
      const result = await client.query<Row>(sql, values && [...values]);
      // Several statements in one text give a list of results.
      return [result].flat().at(-1)?.rows ?? [];
    } catch (error) {
      signal?.throwIfAborted();
      throw fromPostgresError(doing, error, 'working');
    }
  };
  return {
    get pid() {
      return context.backend.pid;
    },
    query,
    async one<Row extends QueryResultRow>(sql: string, values?: readonly unknown[]) {
      const [row] = await query<Row>(sql, values);
      if (row !== undefined) return row;
      throw new LifeboatError('POSTGRES_QUERY_FAILED', `${doing}: a statement that has a row gave none`);
    },
    async end() {
      signal?.removeEventListener('abort', onAbort);
      await cancelled;
      // A connection that is broken already cannot be closed politely; there is nothing left to do with it.
      await client.end().catch(() => undefined);
    },
  };
}

/** Not in the types of node-postgres; `end` alone would wait for the statement. */
function destroySocket(client: Client): void {
  const stream = propertyOf(propertyOf(client, 'connection'), 'stream');
  if (stream instanceof Duplex) stream.destroy();
}

/** A closed socket does not stop a statement that waits for a lock; the server has to be told. */
async function terminateBackend(target: PostgresTarget, pid: number): Promise<void> {
  if (pid === 0) return;
  try {
    const client = await connect(target, { doing: 'end a statement' }, CANCEL_TIMEOUT_MS);
    try {
      await client.query('SELECT pg_catalog.pg_terminate_backend($1)', [pid]);
    } finally {
      await client.end();
    }
  } catch {
    // Fallback: the caller destroys the socket, and the server notices at its next write.
  }
}

/**
 * A bare connection with the target's TLS and password, for protocols that a Session does not speak. The caller ends it.
 * @throws LifeboatError as openSession
 */
export async function openClient(target: PostgresTarget, request: SessionRequest): Promise<Client> {
  request.signal?.throwIfAborted();
  return connect(target, request);
}

async function connect(
  target: PostgresTarget,
  request: SessionRequest,
  connectionTimeoutMillis = request.connectTimeoutMs ?? CONNECT_TIMEOUT_MS,
): Promise<Client> {
  const replication = request.replication === undefined ? {} : { replication: request.replication };
  const config = { ...(await clientConfig(target, request)), connectionTimeoutMillis, ...replication };
  const mayFallBack = (target.ssl?.mode ?? 'prefer') === 'prefer' && config.ssl !== false;
  try {
    return await tryConnect(config);
  } catch (error) {
    request.signal?.throwIfAborted();
    // `prefer`: a server without TLS answers no and node-postgres reports that without any code.
    const refusedTls = sqlState(error) === undefined && propertyOf(error, 'code') === undefined;
    if (!mayFallBack || !refusedTls) throw connectError(target, request, error);
  }
  try {
    return await tryConnect({ ...config, ssl: false });
  } catch (error) {
    throw connectError(target, request, error);
  }
}

async function tryConnect(config: ClientConfig): Promise<Client> {
  const client = new Client(config);
  client.on('error', () => undefined);
  try {
    await client.connect();
    return client;
  } catch (error) {
    await client.end().catch(() => undefined);
    throw error;
  }
}

function connectError(target: PostgresTarget, request: SessionRequest, error: unknown): LifeboatError {
  const place = `${target.host}:${target.port}/${request.database ?? target.database}`;
  return fromPostgresError(`${request.doing}: connect to ${place} as ${target.user}`, error, 'connecting');
}

async function clientConfig(
  target: PostgresTarget,
  request: Pick<SessionRequest, 'database' | 'applicationName'>,
): Promise<ClientConfig> {
  return {
    host: target.host,
    port: target.port,
    user: target.user,
    // An empty string, because node-postgres would look for PGPASSWORD and ~/.pgpass where there is none.
    password: target.password ?? '',
    database: request.database ?? target.database,
    application_name: request.applicationName ?? 'lifeboat',
    keepAlive: true,
    ssl: await tlsOptions(target),
  };
}

async function tlsOptions(target: PostgresTarget): Promise<false | ConnectionOptions> {
  const mode = target.ssl?.mode ?? 'prefer';
  if (mode === 'disable' || target.host.startsWith('/')) return false;
  if (mode === 'prefer' || mode === 'require') return { rejectUnauthorized: false };
  const caPath = target.ssl?.caPath;
  const ca = caPath === undefined ? {} : { ca: await readAuthority(caPath) };
  return mode === 'verify-full' ? ca : { ...ca, checkServerIdentity: () => undefined };
}

async function readAuthority(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    throw new LifeboatError(
      'POSTGRES_UNREACHABLE',
      `read the certificate authority ${path}: ${String(propertyOf(error, 'message'))}`,
      {
        cause: error,
        hint: 'does the file exist, and may this user read it?',
      },
    );
  }
}
