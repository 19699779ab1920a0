/** The first pause, and how long the doubled ones become at most. Milliseconds. */
const PAUSES = {
  /** Another operation holds the group: most end within minutes. */
  busy: { firstMs: 1_000, maxMs: 300_000 },
  /** A server or a store was away: whoever brings it back has no use for a crowd. */
  again: { firstMs: 30_000, maxMs: 1_800_000 },
} as const;

/** A run that has little time begins with a part of it. */
const FIRST_SHARE = 0.05;

/** How long a run waits after its n-th try, n from 1. */
export function nextPause(end: keyof typeof PAUSES, tries: number, patienceMs: number): number {
  const { firstMs, maxMs } = PAUSES[end];
  const first = Math.min(firstMs, Math.ceil(patienceMs * FIRST_SHARE));
  return Math.min(maxMs, first * 2 ** Math.min(tries - 1, 20));
}
