import type { ReplacedTables } from '../../domain/selection-undo.ts';

/** What of a record of a restore (`restores/<id>.json`) matters here; all else is the restore's. */
interface Expiring {
  readonly expiresAt: string;
  readonly postgres: { readonly replaced: string | null; readonly replacedOid?: number | null } | null;
  readonly redis: { readonly savedAs: string | null } | null;
  /** Of single tables and keys. */
  readonly selection?: {
    readonly tables?: ReplacedTables | null;
    readonly keys: { readonly savedAs: string | null } | null;
  } | null;
}

/** Until when the keys that a restore saved can be asked for, by the id of the backup that holds them. */
export function undoUntil(records: readonly unknown[]): ReadonlyMap<string, number> {
  const until = new Map<string, number>();
  for (const { expiresAt, redis, selection } of records as readonly Expiring[]) {
    const savedAs = redis?.savedAs ?? selection?.keys?.savedAs ?? null;
    if (savedAs !== null) until.set(savedAs, Math.max(until.get(savedAs) ?? 0, Date.parse(expiresAt)));
  }
  return until;
}

/** Databases that restores replaced and whose undo is over. One whose identity was not recorded is left alone. */
export function expiredDatabases(records: readonly unknown[], nowMs: number): { database: string; oid: number }[] {
  return (records as readonly Expiring[])
    .filter(({ expiresAt }) => Date.parse(expiresAt) < nowMs)
    .flatMap(({ postgres }) => {
      const { replaced = null, replacedOid = null } = postgres ?? {};
      return replaced === null || replacedOid === null ? [] : [{ database: replaced, oid: replacedOid }];
    });
}

/** Tables that restores replaced and whose undo is over, by what was recorded of them. */
export function expiredTables(records: readonly unknown[], nowMs: number): Omit<ReplacedTables, 'placed'>[] {
  return (records as readonly Expiring[])
    .filter(({ expiresAt }) => Date.parse(expiresAt) < nowMs)
    .flatMap(({ selection }) => {
      const tables = selection?.tables ?? null;
      if (tables === null || tables.kept.length === 0) return [];
      const { database, keptSchema, kept } = tables;
      return [{ database, keptSchema, kept }];
    });
}
