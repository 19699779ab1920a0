import type { Check } from '../../domain/backup.ts';
import { LifeboatError } from '../../domain/errors.ts';
import { quoteIdentifier, quoteLiteral } from '../connection/quoting.ts';
import { inTransaction, type Session } from '../connection/session.ts';
import { applyProperties } from '../facts/apply-properties.ts';
import type { DatabaseCreation, DatabaseFacts } from '../facts/database-facts.ts';
import { readDatabaseCreation, readDatabaseProperties } from '../facts/database-properties.ts';

/**
 * Creates the empty aside database: as the live one where that exists, else as the backup says. A locale that this server
 * does not have gives way to the server's own, which a check says.
 */
export async function createAside(
  session: Session,
  request: { readonly asideDatabase: string; readonly likeDatabase: string },
  recorded: DatabaseFacts,
): Promise<Check[]> {
  const { asideDatabase, likeDatabase } = request;
  const live = await readDatabaseProperties(session, likeDatabase);
  const like = await readDatabaseCreation(session, likeDatabase);
  if (live !== undefined && like !== undefined) {
    await session.query(createStatement(asideDatabase, like, live.owner));
    return like.encoding === recorded.creation.encoding ? [] : [encodingCheck(like, recorded.creation)];
  }
  const owner = await existingOwner(session, recorded.properties.owner);
  const checks = await createFromRecord(session, { asideDatabase, owner }, recorded.creation);
  const wanted = { ...recorded.properties, owner };
  const skipped = await inTransaction(session, 'BEGIN', () => applyProperties(session, asideDatabase, wanted));
  if (owner !== recorded.properties.owner) skipped.push(`owner ${recorded.properties.owner}: no such role`);
  if (skipped.length === 0) return checks;
  const message = skipped.slice(0, 10).join('; ');
  const found = { expected: 'as in the backup', actual: `${skipped.length} left out` };
  return [...checks, { name: 'database properties', status: 'skip', ...found, message }];
}

async function existingOwner(session: Session, owner: string): Promise<string> {
  const row = await session.one<{ owner: string }>(
    'SELECT coalesce((SELECT rolname FROM pg_roles WHERE rolname = $1), current_user)::text AS owner',
    [owner],
  );
  return row.owner;
}

/** SQLSTATEs of CREATE DATABASE for a locale or provider that is not there: wrong object, invalid value, not built in. */
const NO_SUCH_LOCALE = new Set<unknown>(['42809', '22023', '0A000', '42704']);

async function createFromRecord(
  session: Session,
  request: { readonly asideDatabase: string; readonly owner: string },
  wanted: DatabaseCreation,
): Promise<Check[]> {
  const { there } = await session.one<{ there: boolean }>(
    'SELECT EXISTS (SELECT FROM pg_tablespace WHERE spcname = $1) AS there',
    [wanted.tablespace],
  );
  const placed = there ? wanted : { ...wanted, tablespace: 'pg_default' };
  const own = await readDatabaseCreation(session, 'template0');
  // The server's own locale may not go with the encoding; C goes with all.
  const candidates = [placed, { ...placed, ...localeOf(own ?? C_LOCALE) }, { ...placed, ...localeOf(C_LOCALE) }];
  for (const candidate of candidates) {
    if (!(await tryCreate(session, createStatement(request.asideDatabase, candidate, request.owner)))) continue;
    return candidate === placed ? [] : [localeCheck(wanted, candidate)];
  }
  throw new LifeboatError(
    'POSTGRES_QUERY_FAILED',
    `create ${request.asideDatabase}: no locale of this server goes with ${wanted.encoding}`,
  );
}

type Locale = Pick<DatabaseCreation, 'provider' | 'collate' | 'ctype' | 'locale' | 'icuRules'>;
const C_LOCALE: Locale = { provider: 'c', collate: 'C', ctype: 'C', locale: null, icuRules: null };
const localeOf = ({ provider, collate, ctype, locale, icuRules }: Locale): Locale => ({
  provider,
  collate,
  ctype,
  locale,
  icuRules,
});

async function tryCreate(session: Session, statement: string): Promise<boolean> {
  try {
    await session.query(statement);
    return true;
  } catch (error) {
    if (error instanceof LifeboatError && NO_SUCH_LOCALE.has(error.details['sqlstate'])) return false;
    throw error;
  }
}

function localeCheck(wanted: DatabaseCreation, actual: DatabaseCreation): Check {
  const message = 'this server has no such locale: texts sort in another order than at the backup';
  return { name: 'locale', status: 'skip', expected: describeLocale(wanted), actual: describeLocale(actual), message };
}

function createStatement(database: string, creation: DatabaseCreation, owner: string): string {
  const { provider, locale, icuRules } = creation;
  return [
    `CREATE DATABASE ${quoteIdentifier(database)} TEMPLATE template0 OWNER ${quoteIdentifier(owner)}`,
    `ENCODING ${quoteLiteral(creation.encoding)}`,
    `LC_COLLATE ${quoteLiteral(creation.collate)} LC_CTYPE ${quoteLiteral(creation.ctype)}`,
    provider === 'i' ? `LOCALE_PROVIDER icu ICU_LOCALE ${quoteLiteral(locale ?? '')}` : '',
    provider === 'b' ? `LOCALE_PROVIDER builtin BUILTIN_LOCALE ${quoteLiteral(locale ?? '')}` : '',
    provider === 'c' ? 'LOCALE_PROVIDER libc' : '',
    icuRules === null ? '' : `ICU_RULES ${quoteLiteral(icuRules)}`,
    // template0 lies there; to name it needs a right that ordinary owners lack.
    creation.tablespace === 'pg_default' ? '' : `TABLESPACE ${quoteIdentifier(creation.tablespace)}`,
  ].join(' ');
}

function describeLocale({ provider, collate, locale }: DatabaseCreation): string {
  return provider === 'i' ? `icu ${locale}` : provider === 'b' ? `builtin ${locale}` : collate;
}

function encodingCheck(like: DatabaseCreation, recorded: DatabaseCreation): Check {
  const message = 'the live database has another encoding than the backup; texts are converted';
  return { name: 'encoding', status: 'skip', expected: recorded.encoding, actual: like.encoding, message };
}
