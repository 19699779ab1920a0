import type { Session } from '../connection/session.ts';

/** A database as the swap sees it. */
export interface DatabaseState {
  readonly oid: number;
  readonly template: boolean;
  readonly open: boolean;
}

/** Which of the names exist now. */
export async function observeDatabases(
  session: Session,
  names: readonly string[],
): Promise<ReadonlyMap<string, DatabaseState>> {
  const rows = await session.query<{ name: string; oid: string; template: boolean; open: boolean }>(
    'SELECT datname::text AS name, oid::int8::text AS oid, datistemplate AS template, datallowconn AS open FROM pg_database WHERE datname = ANY ($1)',
    [names],
  );
  return new Map(rows.map(({ name, oid, ...state }) => [name, { ...state, oid: Number(oid) }]));
}
