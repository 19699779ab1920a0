import type { SelectionData } from '../../contract/selection.ts';
import { LifeboatError } from '../../domain/errors.ts';
import type { Operation } from '../../domain/operation.ts';
import { parseTableName } from '../../domain/table-name.ts';
import type { LoadTables, LoadTablesResult, PostgresTables } from '../../postgres/tables/tables.ts';
import type { Dependencies } from '../dependencies.ts';
import { readingFrom } from '../read-source.ts';
import { withReplayed } from '../replay/with-replayed.ts';
import { postgresTarget } from '../sources.ts';

type Request = Parameters<SelectionData['loadTables']>[0];

/** From the logical dump of a backup, or from a server of our own that was replayed to an instant. */
export async function loadSelectedTables(
  live: Dependencies,
  { backupId, restoreId, tables, replay, from }: Request,
  operation: Operation,
): ReturnType<SelectionData['loadTables']> {
  const deps = readingFrom(live, from);
  const postgres = (await deps.postgres()).tables;
  const target = { ...postgresTarget(deps.settings), database: tables.database };
  const { stagingSchema, intoSchema, names } = tables;
  const request = { target, stagingSchema, inPlace: intoSchema === null, tables: names.map(parseTableName) };
  if (replay !== null) {
    return withReplayed(
      deps,
      { replay, name: `${restoreId}-tables` },
      {
        operation,
        use: async (served) =>
          postgres.load({ ...request, origin: { from: 'server', target: served.target } }, operation),
      },
    );
  }
  const loaded = await fromDump(deps, { backupId, asideDatabase: tables.asideDatabase, request, postgres }, operation);
  return { ...loaded, position: null };
}

async function fromDump(
  deps: Dependencies,
  about: {
    readonly backupId: string;
    readonly asideDatabase: string;
    readonly request: Omit<LoadTables, 'origin'>;
    readonly postgres: PostgresTables;
  },
  operation: Operation,
): Promise<LoadTablesResult> {
  const { backupId, asideDatabase, request, postgres } = about;
  const repository = await deps.repository();
  const manifest = await repository.load(backupId);
  const facts = manifest.components.postgres;
  if (facts === undefined) throw new LifeboatError('RESTORE_COMPONENT_MISSING', `${backupId} holds no postgres`);
  const source = (name: string): AsyncIterable<Uint8Array> =>
    repository.readArtifact(manifest, 'postgres', name, operation);
  const origin = { from: 'dump', facts, artifacts: facts.artifacts, source, asideDatabase } as const;
  return postgres.load({ ...request, origin }, operation);
}
