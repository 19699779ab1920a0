import type { Check, ComponentName, Manifest, PostgresComponent, RecoveryPoint, RedisComponent } from './backup.ts';
import { LifeboatError } from './errors.ts';
import type { ReplayedPosition, ReplayPlan, ReplayTarget } from './replay.ts';

/** What a restore into a directory writes: found out before anything is written. */
export interface DirectoryPlan {
  readonly restoreId: string;
  readonly backupId: string;
  /** Absolute path on the worker's host. */
  readonly directory: string;
  readonly recoveryPoint: RecoveryPoint;
  readonly encrypted: boolean;
  readonly postgres: {
    /** The backup whose physical base is unpacked. */
    readonly baseId: string;
    /** Where that base is of changed blocks: all whose bases are combined for it, oldest first, itself the last. */
    readonly chain?: readonly string[];
    /** How far WAL is replayed on it; null for the base's own end. */
    readonly target: ReplayTarget | null;
    readonly database: string;
    readonly server: string;
    readonly bytes: number;
  } | null;
  readonly redis: {
    readonly snapshotId: string;
    /** How far its stream is replayed; null for the snapshot as it is. */
    readonly target: ReplayTarget | null;
    readonly server: string;
    readonly keys: number;
    readonly bytes: number;
  } | null;
  /** The steps in order, as sentences. */
  readonly steps: readonly string[];
  /** Target that it is read from, instead of the repository; and why, where nobody asked for it. */
  readonly from?: string;
  readonly notice?: string | null;
}

/** What was written; beside the data in the directory as `restored.json`, so that a repeated attempt knows its own. */
export interface WrittenDirectory {
  readonly postgres: {
    readonly directory: string;
    readonly database: string;
    readonly server: string;
    readonly systemIdentifier: string;
    readonly position: ReplayedPosition;
  } | null;
  readonly redis: {
    readonly directory: string;
    readonly server: string;
    readonly position: ReplayedPosition;
  } | null;
  readonly checks: readonly Check[];
}

/** Backups that the components are taken from. */
export interface DirectorySources {
  /** Holds what is asked for as a whole. */
  readonly manifest: Manifest;
  readonly components: readonly ComponentName[];
  readonly replay: ReplayPlan | null;
  /** Of `replay`, or `manifest` again. */
  readonly base: Manifest;
  readonly snapshot: Manifest;
}

/**
 * Decides what is written, or refuses.
 * @throws LifeboatError RESTORE_COMPONENT_MISSING where there is no physical base, or no Redis snapshot
 */
export function planDirectory(
  sources: DirectorySources,
  request: { readonly directory: string; readonly restoreId: string },
): DirectoryPlan {
  const { manifest, components } = sources;
  const postgres = components.includes('postgres') ? planPostgres(sources) : null;
  const redis = components.includes('redis') ? planRedis(sources) : null;
  const { directory, restoreId } = request;
  return {
    restoreId,
    backupId: manifest.id,
    directory,
    recoveryPoint: manifest.recoveryPoint,
    encrypted: manifest.codec.encryption !== 'none',
    postgres,
    redis,
    steps: describeSteps({ postgres, redis, directory }),
  };
}

function planPostgres({ base, replay }: DirectorySources): NonNullable<DirectoryPlan['postgres']> {
  const stored: PostgresComponent | undefined = base.components.postgres;
  if (stored?.base === undefined) {
    throw new LifeboatError('RESTORE_COMPONENT_MISSING', `${base.id} holds no physical base of postgresql`, {
      hint: 'its logical dump can be restored into a server (without --target-dir), and Redis alone into the directory with --redis',
      details: { backupId: base.id, method: [...(stored?.method ?? [])] },
    });
  }
  const { database, server } = stored;
  const { chain, target = null } = replay?.postgres ?? {};
  return { baseId: base.id, ...(chain && { chain }), target, database, server, bytes: stored.base.bytes };
}

function planRedis({ snapshot, replay }: DirectorySources): NonNullable<DirectoryPlan['redis']> {
  const stored: RedisComponent | undefined = snapshot.components.redis;
  if (stored === undefined) throw new LifeboatError('RESTORE_COMPONENT_MISSING', `${snapshot.id} holds no redis`);
  if (stored.method.startsWith('dump')) {
    throw new LifeboatError('RESTORE_COMPONENT_MISSING', `${snapshot.id} holds redis key by key, not as an RDB file`, {
      hint: 'restore its keys into a server (without --target-dir), and PostgreSQL alone into the directory with --postgres',
    });
  }
  const { server, keys, bytes } = stored;
  return { snapshotId: snapshot.id, target: replay?.redis?.target ?? null, server, keys, bytes };
}

function describeSteps({
  postgres,
  redis,
  directory,
}: Pick<DirectoryPlan, 'postgres' | 'redis' | 'directory'>): string[] {
  const steps: (string | false)[] = [
    postgres !== null && `unpack the base of ${postgres.baseId} (PostgreSQL ${postgres.server}) beside ${directory}`,
    postgres !== null &&
      `replay its WAL ${describeTarget(postgres.target, 'to the end of the base')}, then shut it down`,
    redis !== null && `write the ${redis.keys} keys of ${redis.snapshotId} (Redis ${redis.server}) as append-only data`,
    redis !== null && redis.target !== null && `write the stream behind them ${describeTarget(redis.target, '')}`,
    `rename what is whole to ${directory}`,
  ];
  return steps.filter((step) => step !== false);
}

function describeTarget(target: ReplayTarget | null, none: string): string {
  if (target === null) return none;
  return 'atMs' in target
    ? `to the last transaction at or before ${new Date(target.atMs).toISOString()}`
    : `to position ${target.position}`;
}
