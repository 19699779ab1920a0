import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PROJECT_DIR } from '../../../src/embedded/places.ts';

/**
 * Environment with which a process of ours compiles its sources once and not at each start: a third of the processor time of a short
 * command. The cache is keyed by content and by version of Node; an account of its own has one of its own.
 */
export function compileCache(account?: { readonly uid: number }): Readonly<Record<string, string>> {
  const own = join(PROJECT_DIR, 'node_modules', '.cache', 'node-compile');
  return { NODE_COMPILE_CACHE: account === undefined ? own : join(tmpdir(), `lifeboat-test-compile-${account.uid}`) };
}
