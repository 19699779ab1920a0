export type Task = (signal: AbortSignal) => Promise<void>;

/**
 * Runs the tasks in order, `jobs` at a time. The first failure aborts the others; all have settled when this settles, and
 * the first failure is thrown, or the outer signal's reason.
 */
export async function runAll(
  tasks: readonly Task[],
  options: { readonly jobs: number; readonly signal: AbortSignal },
): Promise<void> {
  const failed = new AbortController();
  const signal = AbortSignal.any([options.signal, failed.signal]);
  const waiting = [...tasks];
  const work = async (): Promise<void> => {
    for (let task = waiting.shift(); task !== undefined && !signal.aborted; task = waiting.shift()) {
      try {
        await task(signal);
      } catch (error) {
        // The first reason stays; what the others say afterwards is its echo.
        failed.abort(error);
      }
    }
  };
  await Promise.all(Array.from({ length: Math.max(1, Math.min(options.jobs, tasks.length)) }, work));
  options.signal.throwIfAborted();
  if (failed.signal.aborted) throw failed.signal.reason;
}
