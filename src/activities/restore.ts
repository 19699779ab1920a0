import { isDeepStrictEqual } from 'node:util';
import type { ControlActivities, DataActivities } from '../contract/activities.ts';
import type { RestoreRecord } from '../contract/messages.ts';
import { LifeboatError } from '../domain/errors.ts';
import type { Check, Manifest } from '../domain/backup.ts';
import { restoreIdAt } from '../domain/restore-id.ts';
import { planRestore } from '../domain/restore-plan.ts';
import { openRedisSnapshot } from '../recovery/open-redis-snapshot.ts';
import type { Repository } from '../repository/repository.ts';
import type { Dependencies } from './dependencies.ts';
import { withOperation } from './operation.ts';
import { replayPostgresAside } from './replay/replay-postgres.ts';
import { findRedisCut, removeReplayedRedis, replayRedisIntoServer } from './replay/replay-redis.ts';
import { resolveReplay } from './replay/resolve-replay.ts';
import { chooseSource, readingFrom } from './read-source.ts';
import { configured, postgresTarget } from './sources.ts';
import { redisPlace, surveyRedisTarget } from './target-redis.ts';

type RestoreControl = Pick<
  ControlActivities,
  | 'planRestore'
  | 'stopServices'
  | 'startServices'
  | 'swapDatabase'
  | 'dropAside'
  | 'recordRestore'
  | 'loadRestore'
  | 'undoSwap'
>;
type RestoreData = Pick<DataActivities, 'restorePostgresAside' | 'checkRedisSnapshot' | 'restoreRedis'>;

export function createRestoreActivities(
  deps: Dependencies,
): RestoreControl & RestoreData & Pick<DataActivities, 'emptyRedis'> {
  return { ...createRestoreControl(deps), ...createRestoreData(deps), ...createRedisRemoval(deps) };
}

function createRestoreControl(deps: Dependencies): RestoreControl {
  const { settings, services } = deps;
  return {
    planRestore: ({ request, startedAt }) =>
      withOperation(settings, async (operation) => {
        const { deps: source, from, notice } = await chooseSource(deps, request.fromTarget);
        const { manifest, components, replay } = await resolveReplay(source, request, operation);
        const survey = {
          postgres: components.includes('postgres')
            ? await surveyPostgres(deps, manifest, request.targetDatabase)
            : null,
          redis: components.includes('redis') ? await surveyRedisTarget(deps, request.targetRedis, operation) : null,
          services: services.names,
        };
        const restoreId = restoreIdAt(startedAt);
        const plan = planRestore(manifest, request, { survey, restoreId, replay });
        return from === undefined ? plan : { ...plan, from, notice };
      }),

    stopServices: ({ services: names }) =>
      withOperation(settings, async ({ signal }) => {
        for (const name of names) await services.stop(name, signal);
      }),

    startServices: ({ services: names }) =>
      withOperation(settings, async ({ signal }) => {
        for (const name of names.toReversed()) await services.start(name, signal);
      }),

    swapDatabase: (names) =>
      withOperation(settings, async () => (await deps.postgres()).swap({ target: postgresTarget(settings), ...names })),

    dropAside: ({ asideDatabase }) =>
      withOperation(settings, async () =>
        (await deps.postgres()).dropDatabase(postgresTarget(settings), asideDatabase),
      ),

    recordRestore: (done) =>
      withOperation(settings, async () => {
        const finishedAt = new Date();
        const expiresAt = new Date(finishedAt.getTime() + settings.keepReplacedMs).toISOString();
        const record: RestoreRecord = { ...done, finishedAt: finishedAt.toISOString(), expiresAt };
        return keepOnce(await deps.repository(), record);
      }),

    loadRestore: ({ restoreId }) =>
      withOperation(settings, async () => {
        const record = (await (await deps.repository()).loadRestore(restoreId)) as RestoreRecord;
        if (Date.parse(record.expiresAt) < Date.now()) {
          throw new LifeboatError(
            'RESTORE_UNDO_EXPIRED',
            `what ${restoreId} replaced was kept until ${record.expiresAt}`,
          );
        }
        requireKept(record);
        return record;
      }),

    undoSwap: (names) =>
      withOperation(settings, async () =>
        (await deps.postgres()).undoSwap({ target: postgresTarget(settings), ...names }),
      ),
  };
}

/** Tables beside the live ones, or where none was before, replaced nothing: an undo that did nothing would be a lie. */
function requireKept({ restoreId, selection }: RestoreRecord): void {
  if (selection === undefined || selection.tables !== null || selection.keys !== null) return;
  const { left } = selection;
  throw new LifeboatError('RESTORE_NOTHING_REPLACED', `${restoreId} replaced nothing`, {
    details: { goBack: left },
    hint: `what it brought can be taken away by hand: ${left.join('; ')}`,
  });
}

/** Keeps the record, or gives the one that an earlier attempt kept before it was lost: only its times differ. */
async function keepOnce(repository: Repository, record: RestoreRecord): Promise<RestoreRecord> {
  try {
    await repository.keepRestore(record);
    return record;
  } catch (error) {
    if (!(error instanceof LifeboatError && error.code === 'STORE_KEY_EXISTS')) throw error;
    const kept = (await repository.loadRestore(record.restoreId)) as RestoreRecord;
    const { finishedAt, expiresAt } = kept;
    if (isDeepStrictEqual(kept, { ...record, finishedAt, expiresAt })) return kept;
    throw error;
  }
}

function createRestoreData(deps: Dependencies): RestoreData {
  const { settings } = deps;
  return {
    restorePostgresAside: ({ backupId, database, asideDatabase, replay, restoreId, from }) =>
      withOperation(settings, async (operation) => {
        const source = readingFrom(deps, from);
        if (replay !== undefined && restoreId !== undefined) {
          return replayPostgresAside(source, { replay, restoreId, database, asideDatabase }, operation);
        }
        const { target, jobs } = configured(settings, 'postgres');
        const repository = await source.repository();
        const manifest = await repository.load(backupId);
        const facts = stored(manifest, 'postgres');
        const request = { target, asideDatabase, likeDatabase: database, facts, artifacts: facts.artifacts, jobs };
        const artifact = (name: string): AsyncIterable<Uint8Array> =>
          repository.readArtifact(manifest, 'postgres', name, operation);
        return (await deps.postgres()).restoreAside(request, { source: artifact, operation });
      }),

    checkRedisSnapshot: ({ backupId, replay, from }) =>
      withOperation(settings, async (operation) => {
        const source = readingFrom(deps, from);
        const cut = replay && (await findRedisCut(source, replay, operation));
        const repository = await source.repository();
        const manifest = await repository.load(backupId);
        const { format, facts, open } = await openRedisSnapshot(repository, manifest, operation);
        const found = await deps.redis.checkSnapshot(format, open(), operation);
        requireDigest(backupId, found.digest, facts.digest);
        return { keys: found.keys, check: requireAllKeys(backupId, found.keys, facts.keys), ...(cut && { cut }) };
      }),

    restoreRedis: ({ backupId, dropExisting, replay, cut, target: url, from }) =>
      withOperation(settings, async (operation) => {
        const source = readingFrom(deps, from);
        const { target, agentHost } = redisPlace(settings, url);
        if (replay !== undefined && cut !== undefined) {
          return replayRedisIntoServer(source, { replay, cut, dropExisting, target, agentHost }, operation);
        }
        const repository = await source.repository();
        const manifest = await repository.load(backupId);
        const { format, facts, open } = await openRedisSnapshot(repository, manifest, operation);
        return deps.redis.importSnapshot(
          {
            target,
            format,
            facts,
            method: 'auto',
            ...(agentHost === undefined ? {} : { agentHost }),
            dropExisting,
          },
          { open, operation },
        );
      }),
  };
}

function requireAllKeys(backupId: string, found: number, expected: number): Check {
  if (found === expected) {
    const keys = `${expected} keys`;
    return { name: 'redis snapshot read to its end', status: 'pass', expected: keys, actual: keys, message: '' };
  }
  throw new LifeboatError(
    'RESTORE_CONTENT_MISMATCH',
    `${backupId}: the redis snapshot holds ${found} keys, its manifest says ${expected}`,
  );
}

/** The digest that was computed when the keys were read, where there is one: a chain gives what it was made from. */
function requireDigest(backupId: string, found: string, expected: string): void {
  if (expected === '' || found === expected) return;
  throw new LifeboatError('RESTORE_CONTENT_MISMATCH', `${backupId}: the redis keys are not those of its manifest`, {
    details: { digest: found, expected },
  });
}

/** The way back where Redis was empty before the restore. */
function createRedisRemoval(deps: Dependencies): Pick<DataActivities, 'emptyRedis'> {
  const { settings } = deps;
  return {
    emptyRedis: ({ backupId, replay, cut, target: url, from }) =>
      withOperation(settings, async (operation) => {
        const source = readingFrom(deps, from);
        const { target } = redisPlace(settings, url);
        if (replay !== undefined && cut !== undefined) {
          return removeReplayedRedis(source, { replay, cut, target }, operation);
        }
        const repository = await source.repository();
        const manifest = await repository.load(backupId);
        const { format, facts, open } = await openRedisSnapshot(repository, manifest, operation);
        return deps.redis.removeSnapshot({ target, format, facts }, { open, operation });
      }),
  };
}

function stored<K extends 'postgres' | 'redis'>(
  manifest: Manifest,
  component: K,
): NonNullable<Manifest['components'][K]> {
  const found = manifest.components[component];
  if (found !== undefined) return found;
  throw new LifeboatError('RESTORE_COMPONENT_MISSING', `${manifest.id} holds no ${component}`);
}

async function surveyPostgres(
  deps: Dependencies,
  manifest: Manifest,
  targetDatabase: string | null,
): Promise<Awaited<ReturnType<Awaited<ReturnType<Dependencies['postgres']>>['surveyTarget']>>> {
  const database = targetDatabase ?? stored(manifest, 'postgres').database;
  return (await deps.postgres()).surveyTarget(postgresTarget(deps.settings), database);
}
