/** Part of the runs that a commit is checked with; `npm test` makes all of them. */
const FEW = 10;

/** How often a property is tried: `full`, or a tenth of it where TEST_FEW_RUNS is set, as `scripts/check.mjs` does. */
export function runs(full: number): number {
  return process.env['TEST_FEW_RUNS'] === undefined ? full : Math.ceil(full / FEW);
}

/** How far apart samples of a range are taken: every one of it, or each `few`th where TEST_FEW_RUNS is set. A prime meets every bit. */
export function stride(few: number): number {
  return process.env['TEST_FEW_RUNS'] === undefined ? 1 : few;
}
