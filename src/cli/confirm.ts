import { LifeboatError } from '../domain/errors.ts';
import type { CommandContext } from './command.ts';

/**
 * Asks a person at a terminal; anything but yes ends the command. Where nobody can be asked the command line itself is the answer.
 * @throws LifeboatError OPERATION_CANCELLED
 */
export async function confirm({ interactive, signal }: CommandContext, question: string): Promise<void> {
  if (!interactive) return;
  const { createInterface } = await import('node:readline/promises');
  const asking = createInterface({ input: process.stdin, output: process.stderr });
  try {
    const answer = await asking.question(`${question} [y/N] `, { signal });
    if (/^y(es)?$/i.test(answer.trim())) return;
  } finally {
    asking.close();
  }
  throw new LifeboatError('OPERATION_CANCELLED', 'not confirmed: nothing was done', {
    hint: 'add --yes to be asked nothing',
  });
}
