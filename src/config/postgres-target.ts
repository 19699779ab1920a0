import { existsSync, readFileSync, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { LifeboatError } from '../domain/errors.ts';
import type { PostgresTarget } from '../postgres/postgres.ts';
import type { LoadedConfig } from './load-config.ts';
import { originOf } from './layers.ts';

type Loaded = Pick<LoadedConfig, 'config' | 'origins'>;
type SslMode = NonNullable<PostgresTarget['ssl']>['mode'];
const PRECEDENCE = ['default', 'file', 'environment', 'flag'];
const FILE_RANK = PRECEDENCE.indexOf('file');
const SSL_MODES: readonly string[] = ['disable', 'prefer', 'require', 'verify-ca', 'verify-full'] satisfies SslMode[];

/** What a connection URL says; undefined for what it leaves out. */
export interface PostgresUrlParts {
  readonly host: string | undefined;
  readonly port: number | undefined;
  readonly user: string | undefined;
  readonly password: string | undefined;
  readonly database: string | undefined;
  readonly sslMode: string | undefined;
  readonly sslRootCert: string | undefined;
}

/** True when the configuration says which PostgreSQL to protect. */
export function isPostgresConfigured({ config }: Pick<LoadedConfig, 'config'>): boolean {
  const { url, host, database } = config.postgres;
  return url !== undefined || host !== undefined || database !== undefined;
}

/**
 * The PostgreSQL under protection. Parts of the URL and single keys are joined by precedence: a key wins over the URL where
 * its source ranks higher (PGHOST over a URL in the file), the URL wins where both come from the environment, as in libpq, and two
 * that disagree in the file are refused.
 * @throws LifeboatError CONFIG_INCOMPLETE, CONFIG_INVALID
 */
export function postgresTarget(loaded: Loaded): PostgresTarget {
  const { postgres } = loaded.config;
  if (!isPostgresConfigured(loaded)) throw new LifeboatError('CONFIG_INCOMPLETE', 'find postgresql: no address configured');
  const url = postgres.url === undefined ? undefined : parsePostgresUrl(postgres.url.reveal());
  const pick = <T>(key: string, single: T | undefined, part: T | undefined): T | undefined => choosePart(loaded, key, { single, part });
  const user = pick('user', postgres.user, url?.user) ?? 'postgres';
  const place = {
    host: pick('host', postgres.host, url?.host) ?? 'localhost',
    port: pick('port', postgres.port, url?.port) ?? 5432,
    user,
    database: pick('database', postgres.database, url?.database) ?? user,
  };
  const password = pick('password', postgres.password?.reveal(), url?.password) ?? passwordFromFile(postgres.passFile, place);
  const mode = pick('sslMode', postgres.sslMode as string | undefined, url?.sslMode) ?? 'prefer';
  const caPath = pick('sslRootCert', postgres.sslRootCert, url?.sslRootCert);
  return {
    ...place,
    ...(password === undefined ? {} : { password }),
    ssl: { mode: checkSslMode(mode), ...(caPath === undefined ? {} : { caPath }) },
  };
}

/** Reads `postgres://…` and `postgresql://…`, with libpq's parameters for the parts. */
export function parsePostgresUrl(text: string): PostgresUrlParts {
  if (!/^postgres(ql)?:\/\//.test(text)) throw malformed('it does not begin with postgres://');
  // A socket folder leaves the host empty, which the URL standard does not allow with a user in front.
  const standIn = text.replace(/^(postgres(?:ql)?:\/\/(?:[^/?#]*@)?)(?=[:/?#]|$)/, '$1empty.invalid');
  if (!URL.canParse(standIn)) throw malformed('it cannot be read: are special characters in the password percent-encoded?');
  const url = new URL(standIn);
  const parameter = (name: string): string | undefined => url.searchParams.get(name) ?? undefined;
  const host = url.hostname === 'empty.invalid' ? undefined : decode(url.hostname).replace(/^\[(.*)\]$/, '$1');
  return {
    host: parameter('host') ?? host,
    port: toPort(parameter('port') ?? (url.port === '' ? undefined : url.port)),
    user: parameter('user') ?? some(decode(url.username)),
    password: parameter('password') ?? some(decode(url.password)),
    database: parameter('dbname') ?? some(decode(url.pathname.slice(1))),
    sslMode: parameter('sslmode'),
    sslRootCert: parameter('sslrootcert'),
  };
}

/** Password of the first matching line of a libpq password file (`host:port:database:user:password`, `*` matches all). */
export function passwordFromLines(
  text: string,
  place: { readonly host: string; readonly port: number; readonly database: string; readonly user: string },
): string | undefined {
  const host = place.host.startsWith('/') ? 'localhost' : place.host;
  const wanted = [host, String(place.port), place.database, place.user];
  const fields = text
    .split('\n')
    .filter((line) => !line.startsWith('#'))
    .map((line) => [...line.replace(/\r$/, '').matchAll(/(?:^|:)((?:\\.|[^\\:])*)/g)].map((match) => (match[1] ?? '').replace(/\\(.)/g, '$1')));
  return fields.find((each) => each.length >= 5 && wanted.every((value, index) => each[index] === '*' || each[index] === value))?.[4];
}

function passwordFromFile(named: string | undefined, place: Parameters<typeof passwordFromLines>[1]): string | undefined {
  const file = named ?? join(homedir(), '.pgpass');
  if (!existsSync(file)) {
    if (named === undefined) return undefined;
    throw new LifeboatError('CONFIG_INVALID', `read password file ${file}: no such file`, { details: { file } });
  }
  // As libpq: a password file that others can read is not used.
  const mode = statSync(file).mode & 0o077;
  if (mode === 0) return passwordFromLines(readFileSync(file, 'utf8'), place);
  if (named === undefined) return undefined;
  throw new LifeboatError('CONFIG_INVALID', `read password file ${file}: others can read it`, { details: { file }, hint: `chmod 600 ${file}` });
}

function choosePart<T>(loaded: Loaded, key: string, { single, part }: { single: T | undefined; part: T | undefined }): T | undefined {
  if (single === undefined || part === undefined) return single ?? part;
  const [singleRank, urlRank] = [rank(loaded, `postgres.${key}`), rank(loaded, 'postgres.url')];
  if (singleRank === urlRank && singleRank === FILE_RANK && single !== part) {
    throw new LifeboatError('CONFIG_INVALID', `check postgres.${key}: postgres.url in the same file says something else`, {
      hint: `remove postgres.${key}, or that part of the URL`,
    });
  }
  return singleRank > urlRank ? single : part;
}

function rank(loaded: Loaded, key: string): number {
  const origin = originOf(new Map(Object.entries(loaded.origins)), key.split('.'));
  return PRECEDENCE.indexOf(origin?.kind ?? 'default');
}

function checkSslMode(mode: string): SslMode {
  if (SSL_MODES.includes(mode)) return mode as SslMode;
  throw malformed(`sslmode is none of ${SSL_MODES.join(', ')}`);
}

function toPort(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const port = Number(text);
  if (Number.isInteger(port) && port > 0 && port < 65_536) return port;
  throw malformed('its port is not a number from 1 to 65535');
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    // A lone % is not an escape: the text is taken as it stands, as libpq's users write it.
    return text;
  }
}

function some(text: string): string | undefined {
  return text === '' ? undefined : text;
}

/** Never quotes the URL: it may hold a password. */
function malformed(reason: string): LifeboatError {
  return new LifeboatError('CONFIG_INVALID', `check postgres.url: ${reason}`, {
    hint: 'write it as postgres://user:password@host:port/database',
  });
}
