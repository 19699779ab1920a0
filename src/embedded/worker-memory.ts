/**
 * How a worker is started so that it stays small. Streams fill and drop buffers faster than the defaults give memory back: V8
 * lets its young generation grow to 16 MiB a half before it cleans up, which is also what frees the buffers behind its objects; glibc
 * keeps an arena for each few threads, and freed buffers of the streams' size in it.
 *
 * Measured, encrypted, 500 MiB and 300 000 keys, highest resident memory of backups and a restore: 372 MiB without all of it, 445 MiB
 * with the threshold alone (the restore), 287 MiB with threshold and generation, 273 MiB with all three.
 */
export const WORKER_MEMORY = {
  nodeArguments: ['--max-semi-space-size=4'],
  environment: { MALLOC_ARENA_MAX: '2', MALLOC_MMAP_THRESHOLD_: '131072' },
} as const;
