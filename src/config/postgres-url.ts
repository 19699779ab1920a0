import { LifeboatError } from '../domain/errors.ts';

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

/** Reads `postgres://…` and `postgresql://…`, with libpq's parameters for the parts. */
export function parsePostgresUrl(text: string): PostgresUrlParts {
  if (!/^postgres(ql)?:\/\//.test(text)) throw malformedUrl('it does not begin with postgres://');
  // A socket folder leaves the host empty, which the URL standard does not allow with a user in front.
  const standIn = text.replace(/^(postgres(?:ql)?:\/\/(?:[^/?#]*@)?)(?=[:/?#]|$)/, '$1empty.invalid');
  if (!URL.canParse(standIn))
    throw malformedUrl('it cannot be read: are special characters in the password percent-encoded?');
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

function toPort(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const port = Number(text);
  if (Number.isInteger(port) && port > 0 && port < 65_536) return port;
  throw malformedUrl('its port is not a number from 1 to 65535');
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

/** The error for a URL that cannot be used. It never quotes the URL, which may hold a password. */
export function malformedUrl(reason: string): LifeboatError {
  return new LifeboatError('CONFIG_INVALID', `check postgres.url: ${reason}`, {
    hint: 'write it as postgres://user:password@host:port/database',
  });
}
