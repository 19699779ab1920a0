import { type ErrorCode, LifeboatError } from '../domain/errors.ts';
import type { RespError } from './resp.ts';

/** Error codes of the server (first word of an error reply) that have a code of their own with us. */
const CODES: Readonly<Record<string, ErrorCode>> = {
  NOAUTH: 'REDIS_AUTH_FAILED',
  WRONGPASS: 'REDIS_AUTH_FAILED',
  DENIED: 'REDIS_AUTH_FAILED',
  NOPERM: 'REDIS_PERMISSION_DENIED',
  LOADING: 'REDIS_NOT_READY',
  BUSY: 'REDIS_NOT_READY',
  MASTERDOWN: 'REDIS_NOT_READY',
  NOMASTERLINK: 'REDIS_NOT_READY',
  TRYAGAIN: 'REDIS_NOT_READY',
  OOM: 'REDIS_OUT_OF_MEMORY',
  READONLY: 'REDIS_READ_ONLY',
  NOREPLICAS: 'REDIS_READ_ONLY',
};

/** An error reply as our error. `doing` names the command without its arguments: they can be values or secrets. */
export function replyError(reply: RespError, doing: string): LifeboatError {
  const code = CODES[reply.code] ?? 'REDIS_REPLY_ERROR';
  return new LifeboatError(code, `${doing}: ${reply.code} ${reply.message}`.trimEnd(), {
    details: { redisError: reply.code },
  });
}

/** As `replyError` for AUTH, whose refusals may repeat its arguments: only the code of the reply is kept. */
export function authError(reply: RespError, where: string): LifeboatError {
  const code = CODES[reply.code] ?? 'REDIS_AUTH_FAILED';
  return new LifeboatError(code, `authenticate at redis ${where}: ${reply.code}`, {
    details: { redisError: reply.code },
  });
}
