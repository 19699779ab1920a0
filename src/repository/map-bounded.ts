/**
 * Maps with at most `limit` calls at a time; results in the order of the items. The first failure stops new calls and
 * is thrown after those that run have settled.
 */
export async function mapBounded<T, R>(items: Iterable<T>, limit: number, call: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  const queue = [...items].entries();
  let failed = false;
  const lane = async (): Promise<void> => {
    for (const [index, item] of queue) {
      if (failed) return;
      try {
        results[index] = await call(item);
      } catch (error) {
        failed = true;
        throw error;
      }
    }
  };
  const lanes = await Promise.allSettled(Array.from({ length: limit }, lane));
  const failure = lanes.find((settled) => settled.status === 'rejected');
  if (failure !== undefined) throw failure.reason;
  return results;
}
