import { LifeboatError } from '../domain/errors.ts';
import type { PostgresTarget } from '../postgres/postgres.ts';
import { type Origin, originOf } from './layers.ts';
import type { LoadedConfig } from './load-config.ts';
import { passwordFromFile } from './password-file.ts';
import { malformedUrl, parsePostgresUrl, type PostgresUrlParts } from './postgres-url.ts';
import type { Config } from './schema/config.ts';

type Loaded = Pick<LoadedConfig, 'config' | 'origins'>;
type SslMode = NonNullable<PostgresTarget['ssl']>['mode'];
const SSL_MODES: readonly SslMode[] = ['disable', 'prefer', 'require', 'verify-ca', 'verify-full'];
const PRECEDENCE: readonly Origin['kind'][] = ['default', 'file', 'environment', 'flag'];
const DEFAULT_PORT = 5432;

/** True when the configuration says which PostgreSQL to protect. */
export function isPostgresConfigured({ config }: { readonly config: Config }): boolean {
  const { url, host, database } = config.postgres;
  return url !== undefined || host !== undefined || database !== undefined;
}

/**
 * The PostgreSQL under protection. Parts of the URL and single keys are joined by precedence: a key wins over the URL where
 * its source ranks higher (PGHOST over a URL in the file), the URL wins where both come from the environment, as in
 * libpq, and two that disagree in the file are refused.
 * @throws LifeboatError CONFIG_INCOMPLETE, CONFIG_INVALID
 */
export function postgresTarget(loaded: Loaded): PostgresTarget {
  if (!isPostgresConfigured(loaded)) {
    throw new LifeboatError('CONFIG_INCOMPLETE', 'find postgresql: no address configured');
  }
  return assemble(joinParts(loaded), loaded.config.postgres.passFile);
}

/**
 * A server that one URL describes, with libpq's defaults for what it leaves out.
 * @throws LifeboatError CONFIG_INVALID
 */
export function postgresTargetAt(url: string): PostgresTarget {
  return assemble(parsePostgresUrl(url), undefined);
}

function assemble(
  { host = 'localhost', port = DEFAULT_PORT, user = 'postgres', database = user, ...parts }: PostgresUrlParts,
  passFile: string | undefined,
): PostgresTarget {
  const place = { host, port, user, database };
  const password = parts.password ?? passwordFromFile(passFile, place);
  const ca = parts.sslRootCert === undefined ? {} : { caPath: parts.sslRootCert };
  return {
    ...place,
    ...(password === undefined ? {} : { password }),
    ssl: { mode: checkSslMode(parts.sslMode ?? 'prefer'), ...ca },
  };
}

function joinParts(loaded: Loaded): PostgresUrlParts {
  const { url, password, ...single } = loaded.config.postgres;
  const fromUrl: Partial<PostgresUrlParts> = url === undefined ? {} : parsePostgresUrl(url.reveal());
  const pick = <T>(key: string, alone: T | undefined, part: T | undefined): T | undefined =>
    choosePart(loaded, key, { single: alone, part });
  return {
    host: pick('host', single.host, fromUrl.host),
    port: pick('port', single.port, fromUrl.port),
    user: pick('user', single.user, fromUrl.user),
    password: pick('password', password?.reveal(), fromUrl.password),
    database: pick('database', single.database, fromUrl.database),
    sslMode: pick<string>('sslMode', single.sslMode, fromUrl.sslMode),
    sslRootCert: pick('sslRootCert', single.sslRootCert, fromUrl.sslRootCert),
  };
}

function choosePart<T>(
  loaded: Loaded,
  key: string,
  { single, part }: { single: T | undefined; part: T | undefined },
): T | undefined {
  if (single === undefined || part === undefined) return single ?? part;
  const [singleRank, urlRank] = [rank(loaded, `postgres.${key}`), rank(loaded, 'postgres.url')];
  if (singleRank === urlRank && singleRank === PRECEDENCE.indexOf('file') && single !== part) {
    throw new LifeboatError(
      'CONFIG_INVALID',
      `check postgres.${key}: postgres.url in the same file says something else`,
      {
        hint: `remove postgres.${key}, or that part of the URL`,
      },
    );
  }
  return singleRank > urlRank ? single : part;
}

function rank(loaded: Loaded, key: string): number {
  const origin = originOf(new Map(Object.entries(loaded.origins)), key.split('.'));
  return PRECEDENCE.indexOf(origin?.kind ?? 'default');
}

function checkSslMode(mode: string): SslMode {
  const known = SSL_MODES.find((each) => each === mode);
  if (known !== undefined) return known;
  throw malformedUrl(`sslmode is none of ${SSL_MODES.join(', ')}`);
}
