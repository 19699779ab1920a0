import { LifeboatError } from '../../domain/errors.ts';
import { withMaintenance } from '../connection/maintenance.ts';
import { quoteIdentifier } from '../connection/quoting.ts';
import { inTransaction, type Session } from '../connection/session.ts';
import { applyProperties } from '../facts/apply-properties.ts';
import { readDatabaseProperties } from '../facts/database-properties.ts';
import type { Swap, SwapResult } from '../postgres.ts';
import { observeDatabases, type DatabaseState } from './observe.ts';
import { renameFree } from './rename-free.ts';

/** A lock on a database is held for moments; who waits longer stands behind something that hangs. */
const BEGIN = "BEGIN; SET LOCAL lock_timeout = '30s'";

/** See Postgres.swap. */
export async function swapDatabases(request: Swap): Promise<SwapResult> {
  const { target, database, asideDatabase, replacedDatabase } = request;
  const about = { doing: `swap ${asideDatabase} into ${database}`, about: [database, asideDatabase, replacedDatabase] };
  return withMaintenance(target, about, (session) =>
    withMaintenance(target, about, async (killer) => {
      const names = [database, asideDatabase, replacedDatabase];
      const before = await observeDatabases(session, names);
      const step = decideSwap(request, before);
      const skipped =
        step === 'done' ? [] : await executeSwap(request, { session, killer, replaces: step === 'replace' });
      const after = await observeDatabases(session, names);
      return verifySwap(request, after, skipped);
    }),
  );
}

type Databases = ReadonlyMap<string, DatabaseState>;

/** What is left to do, from the names that exist: an earlier attempt may have got through without anybody knowing. */
function decideSwap(request: Swap, databases: Databases): 'replace' | 'rename' | 'done' {
  const { database, asideDatabase, replacedDatabase, asideOid } = request;
  const [live, aside, replaced] = [
    databases.get(database),
    databases.get(asideDatabase),
    databases.get(replacedDatabase),
  ];
  if (aside === undefined) {
    const swapped = asideOid === undefined ? live !== undefined : live?.oid === asideOid;
    if (swapped) return 'done';
    throw new LifeboatError(
      'POSTGRES_DATABASE_MISSING',
      `${asideDatabase} is not there, and ${database} is not made from it`,
    );
  }
  if (asideOid !== undefined && aside.oid !== asideOid) {
    throw new LifeboatError(
      'POSTGRES_NAME_TAKEN',
      `${asideDatabase} is not the database that was restored: it has another oid`,
      {
        details: { expectedOid: asideOid, oid: aside.oid },
      },
    );
  }
  if (live === undefined) return 'rename';
  if (live.template) throw new LifeboatError('POSTGRES_NOT_SWAPPABLE', `${database} is a template database`);
  if (replaced === undefined) return 'replace';
  throw new LifeboatError(
    'POSTGRES_NAME_TAKEN',
    `${database} cannot be kept as ${replacedDatabase}: there is such a database`,
  );
}

/**
 * One transaction: after a crash at any point either both renames and all properties are there, or nothing is. The replaced
 * database takes no connections, so that it comes back from an undo as it was.
 */
async function executeSwap(
  request: Swap,
  run: { readonly session: Session; readonly killer: Session; readonly replaces: boolean },
): Promise<string[]> {
  const { database, asideDatabase, replacedDatabase } = request;
  const { session, killer, replaces } = run;
  return inTransaction(session, BEGIN, async () => {
    const properties = replaces ? await readDatabaseProperties(session, database) : undefined;
    if (replaces) {
      await renameFree(session, killer, { from: database, to: replacedDatabase });
      await session.query(`ALTER DATABASE ${quoteIdentifier(replacedDatabase)} ALLOW_CONNECTIONS false`);
    }
    await renameFree(session, killer, { from: asideDatabase, to: database });
    return properties === undefined ? [] : applyProperties(session, database, properties);
  });
}

function verifySwap(request: Swap, databases: Databases, skipped: readonly string[]): SwapResult {
  const { database, asideDatabase, replacedDatabase } = request;
  const live = databases.get(database);
  if (live === undefined || databases.has(asideDatabase)) {
    throw new LifeboatError('POSTGRES_DATABASE_MISSING', `after the swap ${database} is not the restored database`);
  }
  const replaced = databases.get(replacedDatabase);
  return {
    replaced: replaced === undefined ? null : replacedDatabase,
    replacedOid: replaced?.oid ?? null,
    skipped,
  };
}
