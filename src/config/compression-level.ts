/** zstd levels behind the manual's 1 to 9; 6, the manual's value, is zstd's own default of 3. */
const ZSTD_LEVELS = [1, 1, 2, 2, 3, 3, 6, 9, 12] as const;

/** zstd level of a configured level 1–9. */
export function zstdLevel(level: number): number {
  return ZSTD_LEVELS[level - 1] ?? ZSTD_LEVELS[5];
}
