/** Runs command lines one after the other as they are sent, each as a process of its own would, and ends when nobody listens any more. */
import { main } from '../../../src/cli/main.ts';
import type { WarmAnswer, WarmRequest } from '../product/warm-cli.ts';

process.on('message', (request: WarmRequest) => void answer(request));
process.once('disconnect', () => process.exit());

async function answer({ id, argv }: WarmRequest): Promise<void> {
  const written = { stdout: '', stderr: '' };
  const exit = await main({
    argv,
    env: process.env,
    cwd: process.cwd(),
    stdin: {},
    stdout: { write: (text: string) => void (written.stdout += text) },
    stderr: { write: (text: string) => void (written.stderr += text) },
  });
  process.send?.({ id, exit, ...written } satisfies WarmAnswer);
}
