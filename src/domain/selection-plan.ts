import type { Manifest, RecoveryPoint } from './backup.ts';
import { asideName } from './database-names.ts';
import { LifeboatError } from './errors.ts';
import type { ReplayPlan } from './replay.ts';
import { formatTableName, parseTableName, refuseSameNames, requireTables, type TableName } from './table-name.ts';

/** What a restore of single tables and keys will do, or would do: found out before anything is changed. */
export interface SelectionPlan {
  readonly restoreId: string;
  readonly backupId: string;
  readonly recoveryPoint: RecoveryPoint;
  readonly tables: {
    readonly database: string;
    /** Names asked for, quoted where SQL needs it. */
    readonly names: readonly string[];
    /** Database for the definitions while they load; not made for a restore to an instant. */
    readonly asideDatabase: string;
    readonly stagingSchema: string;
    /** Schema that takes them; null: each takes the place of the live one. */
    readonly intoSchema: string | null;
    readonly createsSchema: boolean;
    /** Schema that the replaced ones are kept in. */
    readonly keptSchema: string;
    /** Live tables that are replaced. */
    readonly replaces: readonly string[];
  } | null;
  readonly keys: {
    readonly patterns: readonly string[];
    readonly merge: boolean;
    /** Keys of the snapshot that is read. */
    readonly snapshotKeys: number;
    /** Live keys that match. */
    readonly present: number;
  } | null;
  readonly replay: ReplayPlan | null;
  /** The steps in order, as sentences. */
  readonly steps: readonly string[];
  /** Target that it is read from, instead of the repository; and why, where nobody asked for it. */
  readonly from?: string;
  readonly notice?: string | null;
}

export interface SelectionRequest {
  /** `schema.table`, quoted where SQL needs it. */
  readonly tables: readonly string[];
  /** Schema that takes the tables; null for one of this restore. */
  readonly intoSchema: string | null;
  /** In place of the live tables. */
  readonly inPlace: boolean;
  /** Patterns of keys. */
  readonly keys: readonly string[];
  /** Keys of the backup win over present ones. */
  readonly merge: boolean;
}

/** What the targets look like now; null for a component that is not restored. */
export interface SelectionSurvey {
  readonly postgres: {
    readonly serverVersion: number;
    readonly canCreateDatabase: boolean;
    readonly schemaExists: boolean;
    readonly present: readonly TableName[];
    readonly dependents: readonly string[];
    /** Tables of the backup; null where only a replay can tell. */
    readonly known: readonly TableName[] | null;
  } | null;
  readonly redis: { readonly role: string; readonly matching: number } | null;
}

/** Schema for a restore that names none: `restored_20260115_103059_123`. */
export function sideSchema(restoreId: string): string {
  return `restored_${stampOf(restoreId)}`;
}

/** Digits of a restore's time, which need no quotes in SQL. */
function stampOf(restoreId: string): string {
  const digits = restoreId.replaceAll(/\D/g, '');
  return `${digits.slice(0, 8)}_${digits.slice(8, 14)}_${digits.slice(14)}`;
}

/**
 * Decides what comes back where, or refuses.
 * @throws LifeboatError USAGE_INVALID, RESTORE_TABLE_NOT_FOUND, RESTORE_TABLE_IN_USE, RESTORE_TARGET_NOT_EMPTY, RESTORE_TARGET_UNFIT
 */
export function planSelection(
  manifest: Manifest,
  request: SelectionRequest,
  facts: { readonly survey: SelectionSurvey; readonly restoreId: string; readonly replay: ReplayPlan | null },
): SelectionPlan {
  const { survey, restoreId, replay } = facts;
  const tables = survey.postgres && planTables(manifest, request, { survey: survey.postgres, restoreId, replay });
  const keys = survey.redis && planKeys(manifest, request, survey.redis);
  const { id: backupId, recoveryPoint } = manifest;
  const plan = { restoreId, backupId, recoveryPoint, tables, keys, replay };
  return { ...plan, steps: describeSteps(plan) };
}

function planTables(
  manifest: Manifest,
  request: SelectionRequest,
  facts: {
    readonly survey: NonNullable<SelectionSurvey['postgres']>;
    readonly restoreId: string;
    readonly replay: ReplayPlan | null;
  },
): NonNullable<SelectionPlan['tables']> {
  const { survey, restoreId, replay } = facts;
  const stored = manifest.components.postgres;
  if (stored === undefined) throw new LifeboatError('RESTORE_COMPONENT_MISSING', `${manifest.id} holds no postgres`);
  const names = request.tables.map(parseTableName);
  refuseSameNames(names);
  refuseUnfit(survey, { storedVersion: stored.serverVersion, needsDatabase: !replay?.postgres });
  if (survey.known !== null) requireTables(names, survey.known, manifest.id);
  const intoSchema = request.inPlace ? null : (request.intoSchema ?? sideSchema(restoreId));
  if (intoSchema !== null) refuseSchema(intoSchema);
  refusePresent(survey, intoSchema);
  const stamp = stampOf(restoreId);
  return {
    database: stored.database,
    names: names.map(formatTableName),
    asideDatabase: asideName(stored.database, restoreId.replace(/^restore-/, '')),
    stagingSchema: `restoring_${stamp}`,
    intoSchema,
    createsSchema: intoSchema !== null && !survey.schemaExists,
    keptSchema: `replaced_${stamp}`,
    replaces: intoSchema === null ? survey.present.map(formatTableName) : [],
  };
}

function refuseUnfit(
  survey: NonNullable<SelectionSurvey['postgres']>,
  { storedVersion, needsDatabase }: { readonly storedVersion: number; readonly needsDatabase: boolean },
): void {
  const [here, stored] = [survey.serverVersion, storedVersion].map((version) => Math.floor(version / 10_000));
  if ((here ?? 0) < (stored ?? 0)) {
    throw new LifeboatError('RESTORE_TARGET_UNFIT', `the backup is of postgresql ${stored}, the target is ${here}`);
  }
  if (needsDatabase && !survey.canCreateDatabase) {
    throw new LifeboatError(
      'RESTORE_TARGET_UNFIT',
      'the role may not create databases on the target: definitions are resolved in one',
    );
  }
}

const MAX_NAME_BYTES = 63;

function refuseSchema(schema: string): void {
  // Letters beyond ASCII take up to four bytes: the careful bound.
  const long = schema.length + 3 * schema.replaceAll(/[\0-\x7f]/g, '').length;
  if (schema !== '' && !schema.startsWith('pg_') && schema !== 'information_schema' && long <= MAX_NAME_BYTES) return;
  throw new LifeboatError(
    'USAGE_INVALID',
    `--into-schema ${JSON.stringify(schema)}: not a name for a schema of one's own`,
  );
}

function refusePresent(
  { present, dependents }: NonNullable<SelectionSurvey['postgres']>,
  intoSchema: string | null,
): void {
  if (intoSchema === null) {
    if (dependents.length === 0) return;
    throw new LifeboatError('RESTORE_TABLE_IN_USE', `replace tables in place: ${dependents.slice(0, 10).join('; ')}`, {
      details: { dependents: dependents.slice(0, 10) },
    });
  }
  if (present.length === 0) return;
  const names = present.map(formatTableName);
  throw new LifeboatError('RESTORE_TARGET_NOT_EMPTY', `there is ${names.join(', ')} already`, {
    details: { tables: names },
    hint: 'name another schema with --into-schema, or leave it out for a new one',
  });
}

function planKeys(
  manifest: Manifest,
  { keys: patterns, merge }: SelectionRequest,
  { role, matching }: NonNullable<SelectionSurvey['redis']>,
): NonNullable<SelectionPlan['keys']> {
  const stored = manifest.components.redis;
  if (stored === undefined) throw new LifeboatError('RESTORE_COMPONENT_MISSING', `${manifest.id} holds no redis`);
  if (role === 'replica') {
    const fact = 'the redis target is a replica: its master would overwrite the keys';
    throw new LifeboatError('RESTORE_TARGET_UNFIT', fact);
  }
  if (matching > 0 && !merge) {
    throw new LifeboatError(
      'RESTORE_TARGET_NOT_EMPTY',
      `redis holds ${matching} keys that match ${patterns.join(', ')}`,
      {
        details: { keys: matching },
        hint: 'add --merge: the keys of the backup replace present ones, which are saved as a backup first, and all others stay',
      },
    );
  }
  return { patterns, merge, snapshotKeys: stored.keys, present: matching };
}

function describeSteps({ tables, keys, replay }: Omit<SelectionPlan, 'steps'>): string[] {
  const steps: (string | false)[] = [
    replay?.postgres != null && `replay WAL on the base of ${replay.postgres.baseId} in an instance of its own`,
    tables !== null &&
      `load ${tables.names.join(', ')} into schema ${tables.stagingSchema} of ${tables.database} and read every row back`,
    replay?.redis != null &&
      `replay the Redis stream behind the snapshot of ${replay.redis.snapshotId} in a server of its own`,
    ...(keys === null ? [] : describeKeys(keys)),
    ...(tables === null ? [] : describeMoves(tables)),
  ];
  return steps.filter((step) => step !== false);
}

function describeKeys({ patterns, merge, snapshotKeys, present }: NonNullable<SelectionPlan['keys']>): string[] {
  return [
    `read the Redis snapshot of ${snapshotKeys} keys to its end for ${patterns.join(', ')}`,
    ...(present > 0 ? ['save the present Redis keys as a backup of their own, if any of them is replaced'] : []),
    `write the keys that match${merge ? ', over present ones,' : ''} and prove them; all others stay`,
  ];
}

function describeMoves(tables: NonNullable<SelectionPlan['tables']>): string[] {
  const { intoSchema, createsSchema, keptSchema, replaces } = tables;
  const names = tables.names.join(', ');
  if (intoSchema !== null) return [`move ${names} into ${createsSchema ? 'the new schema' : 'schema'} ${intoSchema}`];
  const away = `move ${replaces.join(', ')} into schema ${keptSchema}`;
  return [...(replaces.length > 0 ? [away] : []), `move ${names} into place, in the same transaction`];
}
