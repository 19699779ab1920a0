import { LifeboatError } from '../../domain/errors.ts';
import type { IdentifiedTable } from '../../domain/selection-undo.ts';
import { formatTableName } from '../../domain/table-name.ts';
import { quoteIdentifier } from '../connection/quoting.ts';
import { inTransaction, withSession, type Session } from '../connection/session.ts';
import { readFamily, type ChosenTable } from './choose-tables.ts';
import { BEGIN, qualified, setSchema } from './move-tables.ts';
import { dependentsOf, relationsNamed } from './survey-tables.ts';
import type { UndoMove } from './tables.ts';

const BY_OID = `
  SELECT c.oid::int8::text AS oid, n.nspname::text AS schema, c.relname::text AS table
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = ANY($1::int8[])`;

/** See PostgresTables.undoMove. */
export async function undoMove(request: UndoMove): Promise<void> {
  const { target, keptSchema, kept, dryRun } = request;
  const doing = `bring the replaced tables of ${target.database} back`;
  await withSession(target, { doing }, (session) =>
    inTransaction(session, BEGIN, async () => {
      if (await isUndone(session, request)) return;
      const family = await placedFamily(session, request);
      if (!dryRun) await lock(session, request, family);
      await refuseInUse(session, request, family);
      if (dryRun) return;
      if (family.length > 0) await session.query(`DROP TABLE ${family.map(qualified).join(', ')}`);
      for (const { schema, table } of kept) await setSchema(session, { schema: keptSchema, table }, schema);
      // Without CASCADE: whatever else is in there is not ours.
      await session.query(`DROP SCHEMA ${quoteIdentifier(keptSchema)}`);
    }),
  );
}

/** True when an earlier attempt was committed. @throws LifeboatError RESTORE_UNDO_EXPIRED when a table is neither kept nor back */
async function isUndone(session: Session, { keptSchema, kept }: UndoMove): Promise<boolean> {
  const now = new Map((await byOid(session, kept)).map((table) => [table.oid, table]));
  const isAt = ({ oid, table }: IdentifiedTable, schema: string): boolean => {
    const found = now.get(oid);
    return found !== undefined && found.schema === schema && found.table === table;
  };
  if (kept.every((table) => isAt(table, table.schema))) return true;
  const gone = kept.filter((table) => !isAt(table, keptSchema));
  if (gone.length === 0) return false;
  const names = gone.map(({ table }) => formatTableName({ schema: keptSchema, table })).join(', ');
  throw new LifeboatError('RESTORE_UNDO_EXPIRED', `${names}: not there any more`, {
    hint: 'was it dropped or moved by hand? restore the table from a backup instead, `lifeboat backup list`',
  });
}

/** What the restore has put in place and is still there, wherever it was moved, with partitions that it has got since. */
async function placedFamily(session: Session, { placed }: UndoMove): Promise<ChosenTable[]> {
  return readFamily(session, await byOid(session, placed));
}

/** Before the last look: nothing can come to depend on them afterwards. */
async function lock(session: Session, { keptSchema, kept }: UndoMove, family: readonly ChosenTable[]): Promise<void> {
  const tables = [...family, ...kept.map(({ table }) => ({ schema: keptSchema, table }))];
  await session.query(`LOCK TABLE ${tables.map(qualified).join(', ')} IN ACCESS EXCLUSIVE MODE`);
}

async function refuseInUse(session: Session, { kept }: UndoMove, family: readonly ChosenTable[]): Promise<void> {
  const dependents = (await dependentsOf(session, family)).slice(0, 10);
  if (dependents.length > 0) {
    throw new LifeboatError('RESTORE_TABLE_IN_USE', `drop the restored tables: ${dependents.join('; ')}`, {
      details: { dependents },
      hint: 'it came after the restore: drop it, undo again, and make it anew',
    });
  }
  const there = await relationsNamed(session, kept);
  const others = there.filter(({ oid }) => !family.some((ours) => ours.oid === oid)).map(formatTableName);
  if (others.length === 0) return;
  throw new LifeboatError('RESTORE_TARGET_NOT_EMPTY', `${others.join(', ')}: not what the restore has put there`, {
    details: { tables: others },
    hint: 'something else has the name by now, perhaps of a later restore: undo that one first, or rename it',
  });
}

export async function byOid(session: Session, tables: readonly IdentifiedTable[]): Promise<IdentifiedTable[]> {
  return session.query<IdentifiedTable>(BY_OID, [tables.map(({ oid }) => oid)]);
}
