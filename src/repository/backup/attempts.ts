import type { ComponentName } from '../../domain/backup.ts';
import { LifeboatError } from '../../domain/errors.ts';
import type { ObjectStore } from '../../storage/object-store.ts';
import { readBegin } from './begin.ts';
import { canonicalJson } from '../canonical-json.ts';
import { type AttemptPlace, attemptBeginKey } from '../layout.ts';

/** More attempts at one component are a defect, not bad luck. */
const ATTEMPTS_MAX = 10_000;

/** Takes the lowest attempt number that nobody took. BACKUP_NOT_BEGUN where the backup is not there (any more). */
export async function claimAttempt(store: ObjectStore, backupId: string, component: ComponentName): Promise<number> {
  if ((await readBegin(store, backupId)) === undefined) {
    throw new LifeboatError('BACKUP_NOT_BEGUN', `claim attempt at ${component} of ${backupId}: not begun`);
  }
  for (let attempt = 1; attempt <= ATTEMPTS_MAX; attempt += 1) {
    if (await tryClaim(store, { backupId, component, attempt })) return attempt;
  }
  throw new LifeboatError(
    'ARTIFACT_INVALID',
    `claim attempt at ${component} of ${backupId}: ${ATTEMPTS_MAX} are taken`,
  );
}

/** `…/attempt-<n>/begin.json`, made again from its place. */
export function attemptBeginBytes({ backupId, component, attempt }: AttemptPlace): Buffer {
  return canonicalJson({ version: 1, backupId, component, attempt });
}

async function tryClaim(store: ObjectStore, place: AttemptPlace): Promise<boolean> {
  try {
    await store.put(attemptBeginKey(place), attemptBeginBytes(place), { ifNoneMatch: true });
    return true;
  } catch (error) {
    if (error instanceof LifeboatError && error.code === 'STORE_KEY_EXISTS') return false;
    throw error;
  }
}
