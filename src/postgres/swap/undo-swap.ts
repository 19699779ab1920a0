import { undoneName } from '../../domain/database-names.ts';
import { LifeboatError } from '../../domain/errors.ts';
import { withMaintenance } from '../connection/maintenance.ts';
import { quoteIdentifier } from '../connection/quoting.ts';
import { inTransaction, type Session } from '../connection/session.ts';
import type { UndoSwap } from '../postgres.ts';
import { dropThrough } from './drop-database.ts';
import { observeDatabases, type DatabaseState } from './observe.ts';
import { renameFree } from './rename-free.ts';

/** See Postgres.undoSwap. */
export async function undoSwap(request: UndoSwap): Promise<void> {
  const { target, database, replacedDatabase } = request;
  const undone = undoneName(replacedDatabase);
  const about = { doing: `bring ${replacedDatabase} back as ${database}`, about: [database, replacedDatabase, undone] };
  await withMaintenance(target, about, (session) =>
    withMaintenance(target, about, async (killer) => {
      const databases = await observeDatabases(session, [database, replacedDatabase, undone]);
      if (databases.has(replacedDatabase)) {
        await bringBack(request, { session, killer, undone, databases });
      } else {
        requireUndone(request, databases.get(database), databases.has(undone));
      }
      // Only now: until the rename is committed, the restored database is the live one.
      await dropThrough(session, undone);
    }),
  );
}

async function bringBack(
  { database, replacedDatabase }: UndoSwap,
  run: {
    readonly session: Session;
    readonly killer: Session;
    readonly undone: string;
    readonly databases: ReadonlyMap<string, DatabaseState>;
  },
): Promise<void> {
  const { session, killer, undone, databases } = run;
  if (databases.has(undone)) {
    throw new LifeboatError('POSTGRES_NAME_TAKEN', `${undone} is in the way of bringing ${replacedDatabase} back`);
  }
  await inTransaction(session, "BEGIN; SET LOCAL lock_timeout = '30s'", async () => {
    if (databases.has(database)) await renameFree(session, killer, { from: database, to: undone });
    await renameFree(session, killer, { from: replacedDatabase, to: database });
    await session.query(`ALTER DATABASE ${quoteIdentifier(database)} ALLOW_CONNECTIONS true`);
  });
}

/** Nothing to bring back: done by an earlier attempt, or the replaced database was dropped long ago. */
function requireUndone(
  { database, replacedDatabase, replacedOid }: UndoSwap,
  live: DatabaseState | undefined,
  undoneLeft: boolean,
): void {
  const proven = replacedOid === undefined ? live !== undefined : live?.oid === replacedOid;
  if (proven || undoneLeft) return;
  throw new LifeboatError('POSTGRES_DATABASE_MISSING', `${replacedDatabase} is not there, and ${database} is not it`, {
    hint: 'was it dropped because restore.keepReplaced was over?',
  });
}
