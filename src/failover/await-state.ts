import { setTimeout as delay } from 'node:timers/promises';

const PAUSE_MS = 50;

/**
 * Looks again and again until `isReached`; gives what was seen last, reached or not. What `look` throws ends it.
 * @throws the abort reason
 */
export async function awaitState<State>(
  look: () => Promise<State>,
  isReached: (state: State) => boolean,
  bound: { readonly timeoutMs: number; readonly signal: AbortSignal },
): Promise<State> {
  const deadline = performance.now() + bound.timeoutMs;
  for (;;) {
    const state = await look();
    if (isReached(state) || performance.now() >= deadline) return state;
    await delay(PAUSE_MS);
    bound.signal.throwIfAborted();
  }
}
