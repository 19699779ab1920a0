import { LifeboatError } from '../../domain/errors.ts';

/** What the store does not let go yet (Object Lock). */
export interface Locked {
  /** Id of a backup, name of an epoch, or key of an object. */
  readonly what: string;
  /** ISO 8601; null where the store does not say. */
  readonly until: string | null;
}

/**
 * Removes something, or notes that it is locked: then a later run comes back to it. A removal begins with what was written last, so that
 * a lock which is not over is mostly met before anything is gone; what is half gone is found again. Undefined where it was locked.
 */
export async function unlessLocked<T>(
  what: string,
  locked: Locked[],
  remove: () => Promise<T>,
): Promise<T | undefined> {
  try {
    return await remove();
  } catch (error) {
    if (!(error instanceof LifeboatError && error.code === 'STORE_LOCKED')) throw error;
    const { until } = error.details;
    locked.push({ what, until: typeof until === 'string' ? until : null });
    return undefined;
  }
}
