import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { SelectionData } from '../../contract/selection.ts';
import type { Check } from '../../domain/backup.ts';
import { LifeboatError } from '../../domain/errors.ts';
import type { Operation } from '../../domain/operation.ts';
import type { ReplayedPosition, ReplayPlan } from '../../domain/replay.ts';
import { parseTableName } from '../../domain/table-name.ts';
import type { LoadTables, LoadTablesResult, PostgresTables } from '../../postgres/tables/tables.ts';
import type { PostgresTarget } from '../../postgres/postgres.ts';
import { RESTORE_FROM_FOLDER } from '../../postgres/scratch/prepare-directory.ts';
import { startScratch } from '../../postgres/scratch/start-scratch.ts';
import type { Dependencies } from '../dependencies.ts';
import { readingFrom } from '../read-source.ts';
import { unpackPostgres } from '../replay/unpack-postgres.ts';
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
    return fromInstant(
      deps,
      { replay, restoreId },
      {
        operation,
        load: (served) => postgres.load({ ...request, origin: { from: 'server', target: served } }, operation),
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

const PROMOTED = { restoreCommand: RESTORE_FROM_FOLDER, action: 'promote' } as const;

async function fromInstant(
  deps: Dependencies,
  { replay, restoreId }: { readonly replay: NonNullable<ReplayPlan['postgres']>; readonly restoreId: string },
  run: { readonly operation: Operation; load(target: PostgresTarget): Promise<LoadTablesResult> },
): Promise<LoadTablesResult & { readonly position: ReplayedPosition; readonly checks: readonly Check[] }> {
  const { operation, load } = run;
  const folder = join(await deps.settings.scratchFolder(), `${restoreId}-tables`);
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true, mode: 0o711 });
  try {
    const directory = join(folder, 'data');
    const unpacked = await unpackPostgres(deps, { replay, directory }, operation);
    const { manifest, tools, recovery } = unpacked;
    const { user, database: configuredDatabase } = postgresTarget(deps.settings);
    const database = manifest.components.postgres?.database ?? configuredDatabase;
    const start = { directory, tools, user, database, recovery: { ...recovery, ...PROMOTED } };
    const scratch = await startScratch(start, operation);
    try {
      const { lsn, timeline, lastCommitAt } = await scratch.waitForRecovery();
      const loaded = await load(scratch.target);
      const position = { position: lsn, timeline, at: lastCommitAt };
      return { ...loaded, checks: [...unpacked.checks, ...loaded.checks], position };
    } finally {
      await scratch.stop();
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
