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
  let closing: Promise<unknown> | undefined;

  const close = async (): Promise<unknown> => {
    signal.removeEventListener('abort', onAbort);
    closing ??= iterator.return?.() ?? Promise.resolve();
    return closing;
  };
  const onAbort = (): void => {
    rejectPending?.(signal.reason);
    // A reader whose read rejects does not ask for the end, so the source is told here. One that hangs in a read answers
    // only when that read ends, and what it then throws is a consequence of the abort: nobody waits for it.
    close().catch(() => undefined);
  };
  signal.addEventListener('abort', onAbort);

  return {
    // Not Promise.race: each race against one long-lived promise would keep its callbacks until the stream has ended.
    next: () =>
      new Promise((resolve, reject) => {
        if (signal.aborted) {
          onAbort();
          return reject(signal.reason);
        }
        const passOn = (item: IteratorResult<T>): void => {
          rejectPending = undefined;
          if (item.done === true) signal.removeEventListener('abort', onAbort);
          resolve(item);
        };
        rejectPending = reject;
        iterator.next().then(passOn, reject);
      }),
    async return() {
      const closed = close();
      if (!signal.aborted) await closed;
      return { done: true, value: undefined };
    },
  };
}
