import type { ComponentName } from '../domain/backup.ts';
import { LifeboatError } from '../domain/errors.ts';
import { PROBE_PREFIX } from '../storage/doctor/probe.ts';

/** Where things lie in a store; docs/repository-format.md draws it. */
export const REPOSITORY_KEY = 'lifeboat.json';
export const BACKUPS_PREFIX = 'backups/';
export const VERIFIED_PREFIX = 'verified/';
export const REMOVALS_PREFIX = 'removals/';
export const HOLDS_PREFIX = 'holds/';
export const REPORTS_PREFIX = 'reports/';
export const JOURNALS_PREFIX = 'journals/';
export const KEYS_PREFIX = 'keys/';
export const RESTORES_PREFIX = 'restores/';
export const PLANS_PREFIX = 'plans/';
export const EVALUATIONS_PREFIX = 'evaluations/';
export const TURNS_PREFIX = 'turns/';

/**
 * Every prefix below which anything of ours is written in a store; a cleanup takes unfinished writes away below each. `failover/` is that of a
 * store that may hold a repository too. A test reads the code for others.
 */
export const WRITTEN_PREFIXES = [
  BACKUPS_PREFIX,
  JOURNALS_PREFIX,
  KEYS_PREFIX,
  VERIFIED_PREFIX,
  RESTORES_PREFIX,
  REMOVALS_PREFIX,
  HOLDS_PREFIX,
  REPORTS_PREFIX,
  PLANS_PREFIX,
  EVALUATIONS_PREFIX,
  TURNS_PREFIX,
  'failover/',
  PROBE_PREFIX,
] as const;

const BACKUP_ID = /^backup-(\d{4}-\d\d-\d\d)T(\d\d)-(\d\d)-(\d\d)-(\d{3})Z$/;
const ARTIFACT_NAME = /^[a-z0-9-]+$/;
const ATTEMPT_KEY = /^backups\/[^/]+\/(?:(postgres)|redis)\/attempt-([1-9]\d*)\//;

export const backupPrefix = (backupId: string): string => `${BACKUPS_PREFIX}${requireBackupId(backupId)}/`;
export const manifestKey = (backupId: string): string => `${backupPrefix(backupId)}manifest.json`;
export const signatureKey = (backupId: string): string => `${manifestKey(backupId)}.minisig`;
export const beginKey = (backupId: string): string => `${backupPrefix(backupId)}begin.json`;
export const dataKeyKey = (backupId: string): string => `${KEYS_PREFIX}${requireBackupId(backupId)}.json`;
export function restoreKey(restoreId: string): string {
  if (/^[A-Za-z0-9_-]+$/.test(restoreId)) return `${RESTORES_PREFIX}${restoreId}.json`;
  throw new LifeboatError('RESTORE_NOT_FOUND', `restore ${JSON.stringify(restoreId)}: not an id`, {
    details: { restoreId },
  });
}
export function reportPrefix(drillId: string): string {
  if (/^[A-Za-z0-9_-]+$/.test(drillId)) return `${REPORTS_PREFIX}${drillId}/`;
  throw new LifeboatError('DRILL_NOT_FOUND', `drill ${JSON.stringify(drillId)}: not an id`, { details: { drillId } });
}
/** What lies below are entries of the ledger, oldest first. */
export const verifiedPrefix = (backupId: string): string => `${VERIFIED_PREFIX}${requireBackupId(backupId)}/`;

export const removalKey = (backupId: string): string => `${REMOVALS_PREFIX}${requireBackupId(backupId)}.json`;
export const holdKey = (backupId: string): string => `${HOLDS_PREFIX}${requireBackupId(backupId)}.json`;

/** One attempt at one component of one backup. */
export interface AttemptPlace {
  readonly backupId: string;
  readonly component: ComponentName;
  readonly attempt: number;
}

export function attemptPrefix({ backupId, component, attempt }: AttemptPlace): string {
  if (!Number.isSafeInteger(attempt) || attempt < 1) {
    throw new LifeboatError('ARTIFACT_INVALID', `${component}: attempt ${attempt}: not 1 or more`);
  }
  return `${backupPrefix(backupId)}${component}/attempt-${attempt}/`;
}

export function attemptBeginKey(place: AttemptPlace): string {
  return `${attemptPrefix(place)}begin.json`;
}

export function indexKey(place: AttemptPlace): string {
  return `${attemptPrefix(place)}index.json`;
}

/** `…/attempt-1/data-0007-000001.zst.esdk`; objects of an artifact are numbered from 1. */
export function objectKey(place: AttemptPlace & { readonly name: string }, index: number, extension: string): string {
  if (!ARTIFACT_NAME.test(place.name) || place.name === 'index') {
    throw new LifeboatError('ARTIFACT_INVALID', `artifact ${JSON.stringify(place.name)}: not [a-z0-9-]+, or index`);
  }
  return `${attemptPrefix(place)}${place.name}-${String(index).padStart(6, '0')}.${extension}`;
}

/** Component and attempt of a key below a backup; null for keys that belong to no attempt. */
export function attemptOf(key: string): Pick<AttemptPlace, 'component' | 'attempt'> | null {
  const found = ATTEMPT_KEY.exec(key);
  return found && { component: found[1] === undefined ? 'redis' : 'postgres', attempt: Number(found[2]) };
}

export function isBackupId(text: string): boolean {
  return BACKUP_ID.test(text);
}

/** `backup-2024-01-15T10-30-00-000Z`: UTC to the millisecond, so that ids sort by time. */
export function backupIdAt(time: Date): string {
  return `backup-${time.toISOString().replaceAll(/[:.]/g, '-')}`;
}

/** ISO 8601 instant in an id. */
export function timeOfBackupId(backupId: string): string {
  const [, date, hours, minutes, seconds, milliseconds] = BACKUP_ID.exec(requireBackupId(backupId)) ?? [];
  return `${date}T${hours}:${minutes}:${seconds}.${milliseconds}Z`;
}

/** Ids come from people, too: what is not one never becomes part of a key. */
function requireBackupId(backupId: string): string {
  if (isBackupId(backupId)) return backupId;
  throw new LifeboatError('BACKUP_NOT_FOUND', `backup ${JSON.stringify(backupId)}: not a backup id`, {
    details: { backupId },
  });
}
