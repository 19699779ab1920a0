import type { LifeboatError } from '../../domain/errors.ts';
import type { Child, ChildExit } from '../../platform/child-process.ts';
import { release } from '../../platform/release-memory.ts';

/**
 * Writes the whole source into the child and waits for its exit with 0. The source is read to its end even where the
 * child needs no more of it: its last bytes prove the ones before. A source that fails ends the child, so that a short
 * input never looks like a whole one. The child's stdout is the caller's to read. Chunks belong to the child: their memory is freed.
 */
export async function feedChild(
  child: Child,
  source: AsyncIterable<Uint8Array>,
  toError: (exit: ChildExit) => LifeboatError,
): Promise<void> {
  const { stdin } = child;
  if (stdin === null) throw new TypeError('the child was started without a stdin');
  let exit: ChildExit | undefined;
  // One resolver for both events: racing each write against `exited` would pile up reactions on it for ever.
  let proceed: (() => void) | undefined;
  stdin.on('drain', () => proceed?.());
  const exited = child.exited.then((how) => {
    exit = how;
    proceed?.();
    return how;
  });
  try {
    for await (const chunk of source) {
      if (exit !== undefined && exit.code !== 0) break;
      if (!stdin.writable || stdin.write(chunk, () => release(chunk)) || exit !== undefined) continue;
      await new Promise<void>((resolve) => (proceed = resolve));
    }
    stdin.end();
    const how = await exited;
    child.signal.throwIfAborted();
    if (how.code !== 0) throw toError(how);
  } finally {
    await child.end();
  }
}
