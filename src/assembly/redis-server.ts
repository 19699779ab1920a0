import { createToolbox } from '../embedded/toolbox.ts';

/**
 * The redis-server of this machine: the named one, one on PATH, or one that was provisioned. Nothing is downloaded.
 * @throws LifeboatError where there is none
 */
export async function findRedisServer(stateDir: string): Promise<string> {
  const signal = new AbortController().signal;
  const toolbox = createToolbox({ stateDir, signal, onPhase: () => undefined, download: false });
  return (await toolbox.redis()).serverPath;
}
