import type { ComponentName, Manifest, RecoveryPoint } from './backup.ts';
import { asideName, replacedName } from './database-names.ts';
import { LifeboatError } from './errors.ts';
import type { ReplayPlan, ReplayTarget } from './replay.ts';

/** What a restore will do, or would do: found out before anything is changed. */
export interface RestorePlan {
  readonly restoreId: string;
  readonly backupId: string;
  readonly recoveryPoint: RecoveryPoint;
  readonly encrypted: boolean;
  readonly postgres: {
    /** Name under which the data will be live. */
    readonly database: string;
    readonly asideDatabase: string;
    readonly replacedDatabase: string;
    readonly exists: boolean;
    /** There is a database of that name with objects in it, and the restore replaces it. */
    readonly replaces: boolean;
    readonly bytes: number;
  } | null;
  readonly redis: {
    readonly keys: number;
    readonly bytes: number;
    /** Live keys and functions that will be saved and replaced. */
    readonly replacesKeys: number;
    readonly replacesFunctions: number;
    /** URL of the server that takes them, where it is another one than the configured: what it holds is not saved. */
    readonly target?: string;
  } | null;
  /** Where the restore is to an instant, or to an incremental backup: what is replayed, and how far. */
  readonly replay?: ReplayPlan | null;
  /** Names of the services that are stopped before the switch and started after it. */
  readonly services: readonly string[];
  /** The steps in order, as sentences. */
  readonly steps: readonly string[];
  /** Target that it is read from, instead of the repository; and why, where nobody asked for it. */
  readonly from?: string;
  readonly notice?: string | null;
}

export interface RestoreRequest {
  readonly components: readonly ComponentName[] | 'stored';
  readonly dropExisting: boolean;
  readonly targetDatabase: string | null;
  readonly stopServices: boolean;
}

/** What the targets look like now; null for a component that is not restored. */
export interface RestoreSurvey {
  readonly postgres: {
    readonly exists: boolean;
    readonly userObjects: number;
    readonly serverVersion: number;
    readonly canCreateDatabase: boolean;
  } | null;
  readonly redis: {
    readonly keys: number;
    readonly functions: number;
    readonly role: string;
    /** Another server than the configured one. */
    readonly target?: string;
  } | null;
  /** Configured services. */
  readonly services: readonly string[];
}

/** Components a request means in this backup. @throws LifeboatError RESTORE_COMPONENT_MISSING */
export function componentsToRestore(manifest: Manifest, wanted: RestoreRequest['components']): ComponentName[] {
  const stored = (['postgres', 'redis'] as const).filter((name) => manifest.components[name] !== undefined);
  if (wanted === 'stored') return stored;
  for (const name of wanted) {
    if (stored.includes(name)) continue;
    throw new LifeboatError(
      'RESTORE_COMPONENT_MISSING',
      `${manifest.id} holds no ${name}: it holds ${stored.join(' and ')}`,
    );
  }
  return [...wanted];
}

/**
 * Decides what a restore does, or refuses.
 * @throws LifeboatError RESTORE_TARGET_NOT_EMPTY, RESTORE_TARGET_UNFIT
 */
export function planRestore(
  manifest: Manifest,
  request: RestoreRequest,
  facts: { readonly survey: RestoreSurvey; readonly restoreId: string; readonly replay?: ReplayPlan | null },
): RestorePlan {
  const { survey, restoreId, replay = null } = facts;
  const postgres = survey.postgres && planPostgres(manifest, request, { survey: survey.postgres, restoreId });
  const redis = survey.redis && planRedis(manifest, request, survey.redis);
  const services = request.stopServices ? survey.services : [];
  const plan = { postgres, redis, services, replay };
  return {
    restoreId,
    backupId: manifest.id,
    recoveryPoint: manifest.recoveryPoint,
    encrypted: manifest.codec.encryption !== 'none',
    ...plan,
    steps: describeSteps(plan, request),
  };
}

function planPostgres(
  manifest: Manifest,
  request: RestoreRequest,
  facts: { readonly survey: NonNullable<RestoreSurvey['postgres']>; readonly restoreId: string },
): NonNullable<RestorePlan['postgres']> {
  const { survey, restoreId } = facts;
  const stored = manifest.components.postgres;
  if (stored === undefined) throw new LifeboatError('RESTORE_COMPONENT_MISSING', `${manifest.id} holds no postgres`);
  const database = request.targetDatabase ?? stored.database;
  refuseUnfitServer(survey, stored.serverVersion);
  const suffix = restoreId.replace(/^restore-/, '');
  const replaces = survey.exists && survey.userObjects > 0;
  if (replaces && !request.dropExisting) {
    throw new LifeboatError('RESTORE_TARGET_NOT_EMPTY', `database ${database} holds ${survey.userObjects} objects`, {
      details: { database, userObjects: survey.userObjects },
    });
  }
  return {
    database,
    asideDatabase: asideName(database, suffix),
    replacedDatabase: replacedName(database, suffix),
    exists: survey.exists,
    replaces,
    bytes: stored.bytes,
  };
}

function refuseUnfitServer(survey: NonNullable<RestoreSurvey['postgres']>, storedVersion: number): void {
  const [target, stored] = [major(survey.serverVersion), major(storedVersion)];
  if (target < stored) {
    throw new LifeboatError('RESTORE_TARGET_UNFIT', `the backup is of postgresql ${stored}, the target is ${target}`);
  }
  if (!survey.canCreateDatabase) {
    throw new LifeboatError('RESTORE_TARGET_UNFIT', 'the role may not create databases on the target');
  }
}

const major = (serverVersion: number): number => Math.floor(serverVersion / 10_000);

function planRedis(
  manifest: Manifest,
  request: RestoreRequest,
  survey: NonNullable<RestoreSurvey['redis']>,
): NonNullable<RestorePlan['redis']> {
  const stored = manifest.components.redis;
  if (stored === undefined) throw new LifeboatError('RESTORE_COMPONENT_MISSING', `${manifest.id} holds no redis`);
  if (survey.role === 'replica') {
    throw new LifeboatError(
      'RESTORE_TARGET_UNFIT',
      'the redis target is a replica: its master would overwrite the data',
    );
  }
  if (survey.keys + survey.functions > 0 && !request.dropExisting) {
    const message = `redis holds ${survey.keys} keys and ${survey.functions} function libraries`;
    throw new LifeboatError('RESTORE_TARGET_NOT_EMPTY', message, {
      details: { keys: survey.keys, functions: survey.functions },
      hint:
        survey.target === undefined
          ? 'add --drop-existing to replace them (they are saved as a backup first), or restore PostgreSQL alone with --postgres'
          : 'add --drop-existing to replace them: they are of another server, and are not saved',
    });
  }
  return {
    keys: stored.keys,
    bytes: stored.bytes,
    replacesKeys: survey.keys,
    replacesFunctions: survey.functions,
    ...(survey.target === undefined ? {} : { target: survey.target }),
  };
}

function describeTarget(target: ReplayTarget): string {
  return 'atMs' in target
    ? `to the last transaction at or before ${new Date(target.atMs).toISOString()}`
    : `to position ${target.position}`;
}

function describeWalReplay(replay: RestorePlan['replay']): string | false {
  if (!replay?.postgres) return false;
  const { baseId, target } = replay.postgres;
  return `replay WAL on the base of ${baseId} in an instance of its own, ${describeTarget(target)}`;
}

/** What comes before the WAL: bases that cannot be used, and those that are combined, with the disk that takes. */
function describeBases(replay: RestorePlan['replay']): string[] {
  const { chain, passedOver = [], scratchBytes = 0 } = replay?.postgres ?? {};
  const skipped = passedOver.map((message) => `do without a newer base, with more WAL to replay: ${message}`);
  if (chain === undefined) return skipped;
  const mebibytes = Math.ceil(scratchBytes / 1024 ** 2);
  return [
    ...skipped,
    `unpack and combine ${chain.length} bases: ${chain.join(', ')}; about ${mebibytes} MiB of disk in restore.scratchDir for that`,
  ];
}

function describeStreamReplay(replay: RestorePlan['replay']): string | false {
  if (!replay?.redis) return false;
  const { snapshotId, target } = replay.redis;
  return `read the Redis stream behind the snapshot of ${snapshotId}, ${describeTarget(target)}`;
}

/** Keys of the configured server are saved; those of another are not. */
function describeSaving(redis: RestorePlan['redis']): string | false {
  if (redis === null || redis.replacesKeys === 0 || redis.target !== undefined) return false;
  return `save the ${redis.replacesKeys} present Redis keys as a backup of their own`;
}

function describeEmptying(redis: RestorePlan['redis']): string | false {
  if (redis?.target === undefined || redis.replacesKeys === 0) return false;
  return `empty ${redis.target} of its ${redis.replacesKeys} keys, which are not saved`;
}

function describeSteps(
  plan: Pick<RestorePlan, 'postgres' | 'redis' | 'services' | 'replay'>,
  request: RestoreRequest,
): string[] {
  const { postgres, redis, services, replay } = plan;
  const steps: (string | false)[] = [
    ...describeBases(replay),
    describeWalReplay(replay),
    postgres !== null && `load database ${postgres.database} aside as ${postgres.asideDatabase} and prove it`,
    redis !== null && `read the Redis snapshot of ${redis.keys} keys to its end`,
    describeStreamReplay(replay),
    describeSaving(redis),
    services.length > 0 && `stop ${services.join(', ')}`,
    request.stopServices && services.length === 0 && 'stop no service: none is configured',
    describeEmptying(redis),
    redis !== null && `load ${redis.keys} keys into ${redis.target ?? 'Redis'} and prove them`,
    postgres !== null &&
      postgres.exists &&
      `rename ${postgres.database} to ${postgres.replacedDatabase}, kept for an undo`,
    postgres !== null && `rename ${postgres.asideDatabase} to ${postgres.database}`,
    services.length > 0 && `start ${services.join(', ')}`,
  ];
  return steps.filter((step) => step !== false);
}
