import type { JournalCopyFacts } from './journal-copies.ts';

/** In the order of how little is known. */
export const TARGET_STATES = ['in-sync', 'behind', 'unused', 'foreign', 'unreachable', 'unknown'] as const;

export type TargetState = (typeof TARGET_STATES)[number];

/** How a target is, as it was found just now. */
export interface TargetFacts {
  readonly name: string;
  readonly region: string | null;
  /** Store URL without secrets. */
  readonly location: string;
  /**
   * `unused`: nothing was copied there yet; `foreign`: it holds another repository; `unreachable`: it did not answer; `unknown`: it did, and
   * the repository itself did not.
   */
  readonly state: TargetState;
  /** Backups that it lists; null where it could not be asked. */
  readonly backups: number | null;
  /** Backups of the repository that it does not have; null where that could not be told. */
  readonly pending: number | null;
  /** The oldest of those first; cut at a stated number. */
  readonly pendingBackups: readonly string[];
  /** Age of the oldest backup that it does not have, seconds; 0 where it has all. */
  readonly lagSeconds: number | null;
  readonly lastError: string | null;
  /** What the copies take there, bytes; null where it could not be asked. Older workers do not say. */
  readonly storedBytes?: { readonly backups: number; readonly journals: number } | null;
  /** How far the journals are there; null where that could not be told. Older workers do not say. */
  readonly journals?: JournalCopyFacts | null;
}

/** States in which nobody can say what a target has of the repository. */
const FAILING: readonly string[] = ['unreachable', 'foreign', 'unknown'];

export function isFailing(state: string): boolean {
  return FAILING.includes(state);
}

/** A backup with the time since which it could have been copied. */
export interface Copyable {
  readonly id: string;
  readonly finishedAt: string;
}

/** Whether a target is to have a backup: its own rules did not remove it there, or it is held since. */
export function isDueThere(
  { id, holds }: { readonly id: string; readonly holds: readonly string[] },
  removedThere: ReadonlySet<string>,
): boolean {
  return !removedThere.has(id) || holds.length > 0;
}

/** Ids that an answer names, at most. */
const SHOWN_PENDING = 100;

/**
 * What a target lacks.
 * @param there ids of the backups that it lists; null where nothing was copied to it yet
 */
export function compareTarget(
  own: readonly Copyable[],
  there: ReadonlySet<string> | null,
  nowMs: number,
): Pick<TargetFacts, 'state' | 'backups' | 'pending' | 'pendingBackups' | 'lagSeconds'> {
  const missing = own
    .filter(({ id }) => there?.has(id) !== true)
    .toSorted((a, b) => (a.finishedAt < b.finishedAt ? -1 : 1));
  const [oldest] = missing;
  const behindMs = oldest === undefined ? 0 : Math.max(0, nowMs - Date.parse(oldest.finishedAt));
  const reached = missing.length === 0 ? 'in-sync' : 'behind';
  return {
    state: there === null ? 'unused' : reached,
    backups: there?.size ?? 0,
    pending: missing.length,
    pendingBackups: missing.slice(0, SHOWN_PENDING).map(({ id }) => id),
    lagSeconds: Math.round(behindMs / 1_000),
  };
}
