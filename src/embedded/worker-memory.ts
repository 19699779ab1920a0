/**
 * How a worker is started so that it stays small. Streams fill and drop buffers faster than the defaults give memory back: V8
 * lets its young generation grow to 16 MiB a half before it cleans up, which is also what frees the buffers behind its objects; glibc
 * keeps an arena for each few threads, and freed buffers of the streams' size in it. How far V8 lets the old generation grow before it
 * cleans up follows from the limit, which is 4 GiB on a large machine: the smaller objects of a million Redis keys came to 250 MiB of garbage.
 *
 * Measured, encrypted, 500 MiB and 300 000 keys, highest resident memory of backups and a restore: 372 MiB without all of it, 445 MiB
 * with the threshold alone (the restore), 287 MiB with threshold and generation, 273 MiB with all three. A restore of 1 M keys on a quiet
 * machine: 333 to 456 MiB in 8.5 s without a limit, 245 to 265 MiB in 7 s with it. Nothing that a worker keeps comes near the limit.
 */
export const WORKER_MEMORY = {
  nodeArguments: ['--max-semi-space-size=4', '--max-old-space-size=768'],
  environment: { MALLOC_ARENA_MAX: '2', MALLOC_MMAP_THRESHOLD_: '131072' },
} as const;

type Variables = Readonly<Record<string, string | undefined>>;

/**
 * Puts a worker with these settings in place of this process, where it has not got them: both are read when a process starts.
 * The same pid, so that whoever sends signals need not know. Returns where there is nothing to change, or where the system
 * cannot do it (Windows): the worker then needs more memory. A person's own values stay.
 */
export function adoptWorkerMemory(env: Variables): void {
  const { nodeArguments, environment } = WORKER_MEMORY;
  const given = [...process.execArgv, env['NODE_OPTIONS'] ?? ''].join(' ');
  const missing = nodeArguments.filter((argument) => !given.includes(argument.split('=')[0] ?? argument));
  const complete = Object.keys(environment).every((name) => env[name] !== undefined);
  if ((missing.length === 0 && complete) || process.execve === undefined) return;
  const command = [process.execPath, ...missing, ...process.execArgv, ...process.argv.slice(1)];
  process.execve(process.execPath, command, { ...environment, ...env });
}
