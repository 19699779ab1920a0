import type { RecoveryWindow } from '../recovery-window.ts';

/** A point to restore: a backup as it is, or an instant that is replayed to. */
export type ChosenPoint =
  | { readonly backupId: string; readonly timeMs: number }
  | { readonly backupId: null; readonly timeMs: number };

export interface Restorable {
  readonly window: Pick<RecoveryWindow, 'spans'>;
  /** Backups that count as restore points. */
  readonly backups: readonly { readonly backupId: string; readonly timeMs: number }[];
}

/** The newest instant that can be restored in all components; undefined where there is none. */
export function newestPoint({ window, backups }: Restorable): ChosenPoint | undefined {
  const last = window.spans.at(-1)?.toMs;
  const newest = backups.toSorted((a, b) => a.timeMs - b.timeMs).at(-1);
  if (last !== undefined && (newest === undefined || last > newest.timeMs)) return { backupId: null, timeMs: last };
  return newest;
}

/**
 * A point by lot: each backup and each span of time has the same chance, and in a span each millisecond has. So old backups get
 * their turn, and what lies between them as well.
 * @param draw at least 0 and below 1
 */
export function drawPoint({ window, backups }: Restorable, draw: number): ChosenPoint | undefined {
  const lots = backups.length + window.spans.length;
  if (lots === 0) return undefined;
  const at = Math.floor(draw * lots);
  const backup = backups[at];
  if (backup !== undefined) return backup;
  const span = window.spans[at - backups.length];
  if (span === undefined) throw new RangeError(`a draw of ${draw}`);
  const within = draw * lots - at;
  return { backupId: null, timeMs: Math.round(span.fromMs + within * (span.toMs - span.fromMs)) };
}
