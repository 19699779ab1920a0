import { Client, Connection } from '@temporalio/client';
import type { ConnectionOptions } from '@temporalio/client';
import { loadClientConnectConfig } from '@temporalio/envconfig';
import { LifeboatError, messageOf } from '../domain/errors.ts';

/** Where Temporal is: the configuration's own values win over Temporal's environment and profile file. */
export interface TemporalAddress {
  /** `host:port`; undefined for Temporal's own environment configuration, then 127.0.0.1:7233. */
  readonly address?: string | undefined;
  readonly namespace?: string | undefined;
  /** What the rest is read from: TLS, API key, profile file. The process's own when undefined; null: nothing of it applies. */
  readonly env?: Variables | null | undefined;
}

type Variables = Readonly<Record<string, string | undefined>>;

/** A server that Lifeboat itself started here: no TLS, no key, one namespace, whatever a person's Temporal settings say. */
export function localTemporal(address: string): TemporalAddress {
  return { address, namespace: LOCAL_NAMESPACE, env: null };
}

const LOCAL_NAMESPACE = 'default';

/** Where the local stack listens, and where Temporal's tools look. */
const DEFAULT_ADDRESS = '127.0.0.1:7233';

/** How long a first answer may take: a local server needs milliseconds, a distant one a round trip or two. */
const CONNECT_TIMEOUT_MS = 5_000;

/** Options for a connection, resolved as Temporal's tools resolve them (TEMPORAL_*, temporal.toml). */
export function connectionSettings(where: TemporalAddress): { options: ConnectionOptions; namespace: string } {
  const { connectionOptions, namespace } =
    where.env === null ? { connectionOptions: {}, namespace: undefined } : readSettings(where.env);
  const options: ConnectionOptions = { ...connectionOptions, ...(where.address ? { address: where.address } : {}) };
  options.address ??= DEFAULT_ADDRESS;
  return { options, namespace: where.namespace ?? namespace ?? 'default' };
}

function setOnes(env: Variables): Record<string, string> {
  return Object.fromEntries(Object.entries(env).filter((entry): entry is [string, string] => entry[1] !== undefined));
}

/** The address that Temporal's own environment or profile file names; undefined where they name none. */
export function addressOfEnvironment(env?: Variables): string | undefined {
  return readSettings(env).connectionOptions.address;
}

/** @throws LifeboatError CONFIG_INVALID for a profile or file that cannot be used */
function readSettings(env: Variables | undefined): ReturnType<typeof loadClientConnectConfig> {
  try {
    return loadClientConnectConfig(env === undefined ? {} : { overrideEnvVars: setOnes(env) });
  } catch (cause) {
    throw new LifeboatError('CONFIG_INVALID', `read the Temporal settings: ${messageOf(cause)}`, {
      cause,
      hint: 'look at TEMPORAL_PROFILE, TEMPORAL_CONFIG_FILE, TEMPORAL_TLS_* and the profile file ~/.config/temporalio/temporal.toml',
    });
  }
}

/** How a connection meets a server that does not answer. */
export interface Persistence {
  /**
   * Default: what fails in passing is tried again, as Temporal's clients do. Such a retry goes on in a timer, which ends the process where the
   * connection was closed meanwhile: without retries one may be closed at any time.
   */
  readonly retries?: boolean;
}

/**
 * Connects and waits for the server's first answer.
 * @throws LifeboatError TEMPORAL_UNREACHABLE
 */
export async function openConnection(
  where: TemporalAddress,
  { retries = true }: Persistence = {},
): Promise<{ connection: Connection; namespace: string }> {
  const { options, namespace } = connectionSettings(where);
  try {
    const given = { ...options, ...(retries ? {} : { interceptors: [] }), connectTimeout: CONNECT_TIMEOUT_MS };
    const connection = await Connection.connect(given);
    return { connection, namespace };
  } catch (cause) {
    const address = options.address ?? '';
    throw new LifeboatError('TEMPORAL_UNREACHABLE', `connect to temporal at ${address}: no answer`, {
      cause,
      details: { address, namespace },
    });
  }
}

/** A client on a connection of its own; `close` ends it. @throws LifeboatError TEMPORAL_UNREACHABLE */
export async function connectClient(
  where: TemporalAddress,
  identity: string,
  persistence?: Persistence,
): Promise<{ client: Client; close(): Promise<void> }> {
  const { connection, namespace } = await openConnection(where, persistence);
  return { client: new Client({ connection, namespace, identity }), close: () => connection.close() };
}
