/** Id of a restore that began at an instant (ISO 8601). */
export function restoreIdAt(startedAt: string): string {
  return `restore-${startedAt.replace(/[:.]/g, '-')}`;
}
