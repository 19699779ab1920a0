import { LifeboatError } from './errors.ts';

const REDIS_URL = /^rediss?:\/\/(?:(?<login>[^@/?#]*)@)?[^@/?#]+(?:\/\d*)?$/;

/**
 * The URL of a Redis that takes a restore, as it may stand in a command line and in a history: with a user at most.
 * The text is never quoted in an error: it may hold a password.
 * @throws LifeboatError USAGE_INVALID
 */
export function targetRedisUrl(text: string): string {
  const found = REDIS_URL.exec(text);
  if (found === null) {
    throw new LifeboatError('USAGE_INVALID', '--target-redis: not a URL such as redis://user@host:port');
  }
  if (!found.groups?.['login']?.includes(':')) return text;
  throw new LifeboatError('USAGE_INVALID', '--target-redis: there is a password in the URL', {
    hint: 'command lines are open to everybody on the host: leave it out, and set LIFEBOAT_TARGET_REDIS_PASSWORD (or restore.targetRedis.password) for the worker',
  });
}
