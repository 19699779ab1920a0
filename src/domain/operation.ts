/** One reading of a long operation; small enough for a heartbeat (< 1 KB), and free of secrets. */
export interface Progress {
  /** What is done now, as a person would say it: `dumping`, `verifying`, `swapping`. */
  readonly phase: string;
  /** The table, key or object at hand. */
  readonly object?: string;
  /** Bytes moved so far in this operation. */
  readonly bytes: number;
  /** Expected bytes where known; an estimate is allowed to be off. */
  readonly totalBytes?: number;
  /** Rows, keys or objects so far, where that says more than bytes. */
  readonly items?: number;
}

/** Given to every long library call: stop when `signal` aborts, report from the data path through `onProgress`. */
export interface Operation {
  readonly signal: AbortSignal;
  onProgress(progress: Progress): void;
}
