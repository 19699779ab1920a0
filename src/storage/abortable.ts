/**
 * The same items, but a pending read rejects with the signal's reason at once, however long the source hangs.
 * The source is told to end (`return`) and is waited for, except where it hangs in a read: its producer gets the same
 * signal and ends by itself.
 */
export function abortable<T>(source: AsyncIterable<T>, signal: AbortSignal | undefined): AsyncIterable<T> {
  return signal === undefined ? source : { [Symbol.asyncIterator]: () => abortableIterator(source, signal) };
}

function abortableIterator<T>(source: AsyncIterable<T>, signal: AbortSignal): AsyncIterator<T> {
  const iterator = source[Symbol.asyncIterator]();
  let rejectPending: ((reason: unknown) => void) | undefined;
  const onAbort = (): void => rejectPending?.(signal.reason);
  signal.addEventListener('abort', onAbort);

  return {
    // Not Promise.race: each race against one long-lived promise would keep its callbacks until the stream has ended.
    next: () =>
      new Promise((resolve, reject) => {
        if (signal.aborted) return reject(signal.reason);
        const passOn = (item: IteratorResult<T>): void => {
          rejectPending = undefined;
          if (item.done === true) signal.removeEventListener('abort', onAbort);
          resolve(item);
        };
        rejectPending = reject;
        iterator.next().then(passOn, reject);
      }),
    async return() {
      signal.removeEventListener('abort', onAbort);
      const ended = iterator.return?.();
      // A source that hangs in a read answers `return` only when that read ends: nobody waits for it, nothing is lost.
      if (signal.aborted) ended?.catch(() => undefined);
      else await ended;
      return { done: true, value: undefined };
    },
  };
}
