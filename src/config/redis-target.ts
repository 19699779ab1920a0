import { LifeboatError } from '../domain/errors.ts';
import type { RedisTarget } from '../redis/redis.ts';
import type { Config } from './schema/config.ts';

const DEFAULT_PORT = 6379;

/** True when the configuration says which Redis to protect. */
export function isRedisConfigured({ config }: { readonly config: Config }): boolean {
  return config.redis.url !== undefined;
}

/**
 * The Redis under protection.
 * @throws LifeboatError CONFIG_INCOMPLETE, CONFIG_INVALID
 */
export function redisTarget({ config }: { readonly config: Config }): RedisTarget {
  const { url } = config.redis;
  if (url === undefined) throw new LifeboatError('CONFIG_INCOMPLETE', 'find redis: no address configured');
  return redisTargetIn({ config }, url.reveal());
}

/**
 * Another server, for the way of a restore out: its URL without a password, which the configuration has. TLS is set up as for the
 * server under protection.
 * @throws LifeboatError CONFIG_INVALID
 */
export function redisTargetAt({ config }: { readonly config: Config }, url: string): RedisTarget {
  const parts = parseRedisUrl(url);
  const word = config.restore.targetRedis?.password?.reveal();
  return assemble(parts, { name: parts.username, word }, config.redis.tls);
}

/**
 * A server of the service in one of its regions: what its URL leaves out is as for the server under protection.
 * @throws LifeboatError CONFIG_INVALID
 */
export function redisTargetIn({ config }: { readonly config: Config }, url: string): RedisTarget {
  const { username, password, tls } = config.redis;
  const parts = parseRedisUrl(url);
  return assemble(parts, { name: parts.username ?? username, word: parts.password ?? password?.reveal() }, tls);
}

function assemble(
  parts: ReturnType<typeof parseRedisUrl>,
  { name, word }: { readonly name: string | undefined; readonly word: string | undefined },
  tls: Config['redis']['tls'],
): RedisTarget {
  const { caPath, certPath, keyPath, servername, insecure } = tls ?? { insecure: false };
  const secure = {
    ...(caPath === undefined ? {} : { caPath }),
    ...(certPath === undefined ? {} : { certPath }),
    ...(keyPath === undefined ? {} : { keyPath }),
    ...(servername === undefined ? {} : { servername }),
    ...(insecure ? { insecure } : {}),
  };
  return {
    host: parts.host,
    port: parts.port,
    ...(name === undefined ? {} : { username: name }),
    ...(word === undefined ? {} : { password: word }),
    ...(parts.tls ? { tls: secure } : {}),
  };
}

/** Reads `redis://` and `rediss://` URLs. A database number is accepted and ignored: all databases belong to a backup. */
export function parseRedisUrl(text: string): {
  readonly host: string;
  readonly port: number;
  readonly username: string | undefined;
  readonly password: string | undefined;
  readonly tls: boolean;
} {
  if (!/^rediss?:\/\//.test(text)) throw malformed('it does not begin with redis:// or rediss://');
  if (!URL.canParse(text))
    throw malformed('it cannot be read: are special characters in the password percent-encoded?');
  const url = new URL(text);
  if (url.pathname !== '' && !/^\/\d*$/.test(url.pathname)) throw malformed('its path is not a database number');
  return {
    host: url.hostname === '' ? 'localhost' : url.hostname.replace(/^\[(.*)\]$/, '$1'),
    port: url.port === '' ? DEFAULT_PORT : Number(url.port),
    username: url.username === '' ? undefined : decodeURIComponent(url.username),
    password: url.password === '' ? undefined : decodeURIComponent(url.password),
    tls: url.protocol === 'rediss:',
  };
}

/** Never quotes the URL: it may hold a password. */
function malformed(reason: string): LifeboatError {
  return new LifeboatError('CONFIG_INVALID', `check redis.url: ${reason}`, {
    hint: 'write it as redis://user:password@host:port',
  });
}
