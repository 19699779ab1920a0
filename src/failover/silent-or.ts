import { LifeboatError } from '../domain/errors.ts';
import type { SilentNode } from '../domain/failover/postgres-view.ts';

/**
 * What is seen of a server; that it is silent, with the reason, where it does not answer within `limitMs` or fails with one of the codes
 * `silent`. Every other error is one of the question.
 */
export async function silentOr<View>(
  node: string,
  {
    limitMs,
    silent,
    signal,
  }: { readonly limitMs: number; readonly silent: readonly string[]; readonly signal: AbortSignal },
  look: (signal: AbortSignal) => Promise<View>,
): Promise<View | SilentNode> {
  const timeout = AbortSignal.timeout(limitMs);
  try {
    return await look(AbortSignal.any([signal, timeout]));
  } catch (error) {
    signal.throwIfAborted();
    if (timeout.aborted) return { node, answers: false, reason: `no answer within ${limitMs / 1_000} s` };
    if (!(error instanceof LifeboatError) || !silent.includes(error.code)) throw error;
    return { node, answers: false, reason: error.message };
  }
}
