import { join } from 'node:path';
import type { Check, Manifest } from '../../domain/backup.ts';
import { asideName } from '../../domain/database-names.ts';
import type { DrillPlan } from '../../domain/drill/drill.ts';
import { LifeboatError } from '../../domain/errors.ts';
import type { Operation } from '../../domain/operation.ts';
import type { PostgresServerTools } from '../../postgres/physical/physical.ts';
import type { PostgresTarget } from '../../postgres/postgres.ts';
import { createEmptyCluster, EMPTY_CLUSTER_USER } from '../../postgres/scratch/create-empty.ts';
import { checkIndexes } from '../../postgres/scratch/check-indexes.ts';
import { RESTORE_FROM_FOLDER } from '../../postgres/scratch/prepare-directory.ts';
import { readAllRows } from '../../postgres/scratch/read-all-rows.ts';
import type { Recovery } from '../../postgres/scratch/scratch.ts';
import { startScratch } from '../../postgres/scratch/start-scratch.ts';
import { unpackPostgres } from '../replay/unpack-postgres.ts';
import type { DrillContext } from './drill-context.ts';
import type { Closers } from './closers.ts';
import type { ScratchPlace } from './scratch-place.ts';
import type { Stages } from './stages.ts';

export interface Rehearsal {
  readonly context: DrillContext;
  readonly plan: DrillPlan;
  readonly place: ScratchPlace;
  readonly stages: Stages;
  readonly closers: Closers;
  readonly operation: Operation;
}

const component = 'postgres';
/** Of `target` while nothing was restored: every cluster has it. */
const MAINTENANCE_DATABASE = 'postgres';

/**
 * Brings PostgreSQL back on a server of our own, which stays up until the closers run: the base with its WAL where there is one, and the dump
 * where the backup is restored as it is. Everything is read and checked on the way.
 * @returns the database that the user's checks look into; undefined where it did not come back
 */
export async function rehearsePostgres(rehearsal: Rehearsal): Promise<PostgresTarget | undefined> {
  const { plan, context, stages } = rehearsal;
  const { replay, backupId } = plan;
  const base = replay?.postgres ?? null;
  if (base !== null) {
    const started = await stages.attempt('PostgreSQL from its base and WAL', async () => startOnBase(rehearsal, base));
    return started && (await proved(rehearsal, started));
  }
  const manifest = await stages.attempt('manifest of PostgreSQL', async () =>
    (await context.sources.repository()).load(backupId),
  );
  if (manifest === undefined) return undefined;
  return rehearseStored(rehearsal, manifest);
}

/** Both copies of a backup as it is: each alone must bring the database back. */
async function rehearseStored(rehearsal: Rehearsal, manifest: Manifest): Promise<PostgresTarget | undefined> {
  const { stages } = rehearsal;
  const stored = requirePostgres(manifest);
  const base = { baseId: manifest.id, target: null };
  const onBase =
    stored.base === undefined
      ? undefined
      : await stages.attempt('PostgreSQL from its base', async () => startOnBase(rehearsal, base));
  const checked = onBase && (await proved(rehearsal, onBase));
  if (!stored.method.includes('logical')) return checked;
  const loaded = await stages.attempt('PostgreSQL from its dump', async () =>
    loadDump(rehearsal, manifest, onBase ?? (await startEmpty(rehearsal, stored.serverVersion))),
  );
  if (onBase !== undefined || loaded === undefined) return checked ?? loaded?.target;
  return proved(rehearsal, loaded);
}

interface Started {
  readonly target: PostgresTarget;
  readonly tools: PostgresServerTools;
}

/** Indexes against tables, and every row read; what is found is a check. Gives the target, whatever is found. */
async function proved({ context, stages, operation }: Rehearsal, { target, tools }: Started): Promise<PostgresTarget> {
  const { jobs } = context.sources;
  await stages.attempt('rows of PostgreSQL', async () =>
    stages.time({ name: 'reading every row', component }, async () =>
      stages.note(await readAllRows({ target, jobs }, operation)),
    ),
  );
  await stages.attempt('indexes of PostgreSQL', async () =>
    stages.time({ name: 'comparing indexes', component }, async () =>
      stages.note(await checkIndexes({ target, tools, jobs }, operation)),
    ),
  );
  return target;
}

async function startOnBase(
  rehearsal: Rehearsal,
  replay: Parameters<typeof unpackPostgres>[1]['replay'],
): Promise<Started> {
  const { context, place, stages, operation } = rehearsal;
  const directory = join(place.folder, 'postgres');
  const unpacked = await stages.time({ name: 'fetching', component }, async () =>
    unpackPostgres(context.sources, { replay, directory }, operation),
  );
  const { manifest, tools, base } = unpacked;
  stages.note(...unpacked.checks);
  const recovery = { ...unpacked.recovery, restoreCommand: RESTORE_FROM_FOLDER, action: 'promote' } as const;
  const database = requirePostgres(manifest).database;
  const { target, timeline } = await start(rehearsal, { directory, tools, user: context.user, database, recovery });
  stages.note(newTimeline(base.timeline, timeline));
  return { target, tools };
}

async function startEmpty(rehearsal: Rehearsal, serverVersion: number): Promise<Started> {
  const { context, place, stages, operation } = rehearsal;
  const directory = join(place.folder, 'postgres-empty');
  const tools = await context.sources.serverTools(Math.floor(serverVersion / 10_000));
  await stages.time({ name: 'making a server', component }, async () =>
    createEmptyCluster({ directory, tools }, operation),
  );
  const recovery = { target: 'end', action: 'promote' } as const;
  const database = MAINTENANCE_DATABASE;
  const { target } = await start(rehearsal, { directory, tools, user: EMPTY_CLUSTER_USER, database, recovery });
  return { target, tools };
}

async function start(
  { place, stages, closers, operation }: Rehearsal,
  request: {
    readonly directory: string;
    readonly tools: PostgresServerTools;
    readonly user: string;
    readonly database: string;
    readonly recovery: Recovery;
  },
): Promise<{ readonly target: PostgresTarget; readonly timeline: number }> {
  const scratch = await stages.time({ name: 'starting', component }, async () =>
    startScratch({ ...request, socketFolder: place.sockets }, operation),
  );
  closers.add('stop PostgreSQL', async () => scratch.kill());
  const { timeline } = await stages.time({ name: 'replaying', component }, async () => scratch.waitForRecovery());
  return { target: scratch.target, timeline };
}

/** The dump beside whatever the server holds, loaded and compared with what the backup recorded, as every restore does. */
async function loadDump(
  { context, place, plan, stages, operation }: Rehearsal,
  manifest: Manifest,
  { target, tools }: Started,
): Promise<Started> {
  const facts = requirePostgres(manifest);
  const asideDatabase = asideName(facts.database, plan.drillId.slice('drill-'.length));
  const repository = await context.sources.repository();
  const postgres = await context.postgres(place.folder);
  const { jobs } = context.sources;
  const { artifacts, database: likeDatabase } = facts;
  const { checks } = await stages.time({ name: 'loading and comparing the dump', component }, async () =>
    postgres.restoreAside(
      { target, asideDatabase, likeDatabase, facts, artifacts, jobs },
      { source: (name) => repository.readArtifact(manifest, component, name, operation), operation },
    ),
  );
  stages.note(...checks.map((check) => ({ ...check, name: `dump: ${check.name}` })));
  return { target: { ...target, database: asideDatabase }, tools };
}

function newTimeline(source: number, own: number): Check {
  const expected = `later than ${source}`;
  const message = 'the restored server writes a history of its own';
  return { name: 'own timeline', status: own > source ? 'pass' : 'fail', expected, actual: String(own), message };
}

function requirePostgres(manifest: Manifest): NonNullable<Manifest['components']['postgres']> {
  const { postgres } = manifest.components;
  if (postgres !== undefined) return postgres;
  throw new LifeboatError('RESTORE_COMPONENT_MISSING', `${manifest.id} holds no postgres`);
}
