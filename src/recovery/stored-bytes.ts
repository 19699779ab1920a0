import type { WindowSources } from '../domain/recovery-window.ts';

/**
 * What backups and journals take in a store, bytes, as manifests and chapters name it. What nothing names (leftovers of writes that died) is not
 * in it, nor are the small records beside them.
 */
export function storedBytesOf({ backups, postgres, redis }: Pick<WindowSources, 'backups' | 'postgres' | 'redis'>): {
  readonly backups: number;
  readonly journals: number;
} {
  const entries = [...postgres, ...redis].flatMap((epoch) => epoch.entries);
  return { backups: sumOf(backups), journals: sumOf(entries) };
}

function sumOf(stored: readonly { readonly storedBytes: number }[]): number {
  return stored.reduce((sum, { storedBytes }) => sum + storedBytes, 0);
}
