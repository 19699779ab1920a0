import { types } from 'node:util';
import { LifeboatError, type ErrorCode } from '../../domain/errors.ts';

/** https://www.postgresql.org/docs/current/errcodes-appendix.html */
const BY_SQLSTATE: Readonly<Record<string, ErrorCode>> = {
  '28P01': 'POSTGRES_AUTH_FAILED',
  '28000': 'POSTGRES_AUTH_FAILED',
  '42501': 'POSTGRES_RIGHTS_MISSING',
  '3D000': 'POSTGRES_DATABASE_MISSING',
  '53100': 'POSTGRES_DISK_FULL',
  '53200': 'POSTGRES_LOCKS_EXHAUSTED',
  '53300': 'POSTGRES_TOO_MANY_CONNECTIONS',
  '55006': 'POSTGRES_DATABASE_BUSY',
  '55P03': 'POSTGRES_LOCK_TIMEOUT',
  '57P01': 'POSTGRES_CONNECTION_LOST',
  '57P02': 'POSTGRES_CONNECTION_LOST',
  '57P03': 'POSTGRES_STARTING',
  '57P05': 'POSTGRES_CONNECTION_LOST',
  '42P04': 'POSTGRES_NAME_TAKEN',
};

/** Classes: the first two characters of a SQLSTATE. 40 is a deadlock or a conflict with replay on a standby. */
const BY_CLASS: Readonly<Record<string, ErrorCode>> = {
  '08': 'POSTGRES_CONNECTION_LOST',
  '40': 'POSTGRES_LOCK_TIMEOUT',
};

const CONNECTION_LOST = new Set<unknown>(['ECONNRESET', 'EPIPE', undefined]);

/** SQLSTATE of a server's answer; undefined for errors of the network and of Node. */
export function sqlState(error: unknown): string | undefined {
  if (error instanceof LifeboatError) return sqlState(error.cause);
  const code = propertyOf(error, 'code');
  // Only answers of the server carry a severity; `EPIPE` has five letters, too.
  const answered = propertyOf(error, 'severity') !== undefined;
  return answered && typeof code === 'string' && /^[0-9A-Z]{5}$/.test(code) ? code : undefined;
}

/** Any error of node-postgres as ours. `doing` leads the message: `inspect database auth`. */
export function fromPostgresError(doing: string, error: unknown, phase: 'connecting' | 'working'): LifeboatError {
  if (error instanceof LifeboatError) return error;
  const message = `${doing}: ${describe(error)}`;
  const state = sqlState(error);
  if (state === undefined) return new LifeboatError(networkCode(error, phase), message, { cause: error });
  const code = BY_SQLSTATE[state] ?? BY_CLASS[state.slice(0, 2)] ?? 'POSTGRES_QUERY_FAILED';
  return new LifeboatError(code, message, { cause: error, details: { sqlstate: state } });
}

/** Any property of an error: node-postgres and Node put their facts there. */
export function propertyOf(error: unknown, name: string): unknown {
  return typeof error === 'object' && error !== null && name in error ? Reflect.get(error, name) : undefined;
}

/** An error about several addresses of one host has no message of its own. */
function describe(error: unknown): string {
  const several = propertyOf(error, 'errors');
  if (Array.isArray(several)) return several.map(describe).join(', ');
  const message = propertyOf(error, 'message');
  return types.isNativeError(error) && typeof message === 'string' && message !== '' ? message : JSON.stringify(error);
}

function networkCode(error: unknown, phase: 'connecting' | 'working'): ErrorCode {
  if (phase === 'connecting') return 'POSTGRES_UNREACHABLE';
  // node-postgres reports a closed socket as an error without a code.
  return CONNECTION_LOST.has(propertyOf(error, 'code')) ? 'POSTGRES_CONNECTION_LOST' : 'POSTGRES_UNREACHABLE';
}
