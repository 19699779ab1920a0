/**
 * The same chunks; the memory of each is freed as soon as the next one is asked for. Only for chunks that nobody looks at
 * again: neither who made them nor who reads them. A reader that keeps one all the same finds it empty, never changed.
 *
 * V8 counts such memory against the size of its heap: left to it, a backup of 350 MiB made it mark the whole heap fifty
 * times, which was half of the processor time of a worker (measured).
 */
export async function* releasing<T extends Uint8Array>(source: AsyncIterable<T>): AsyncGenerator<T, void, undefined> {
  for await (const chunk of source) {
    yield chunk;
    release(chunk);
  }
}

/** Views that are the only ones of their memory, though they do not fill it. */
const sole = new WeakSet<Uint8Array>();

/** Says so of a view, by who made the memory: `release` then frees it. Gives the view. */
export function soleView<T extends Uint8Array>(view: T): T {
  sole.add(view);
  return view;
}

/** Memory that a chunk shares with others, such as Node's pool for small buffers, is let alone. */
export function release(chunk: Uint8Array): void {
  const { buffer, byteLength } = chunk;
  if (!(buffer instanceof ArrayBuffer) || buffer.detached) return;
  if ((byteLength > 0 && byteLength === buffer.byteLength) || sole.has(chunk)) buffer.transfer(0);
}
