import type { Problem } from '../domain/backup.ts';
import { LifeboatError } from '../domain/errors.ts';

/**
 * Damage of a journal's object as a problem. A store that cannot be read says nothing about the journal and stays an error.
 * @throws what is no damage
 */
export function journalProblem(key: string, error: unknown): Problem {
  if (!(error instanceof LifeboatError && /^(?:JOURNAL|OBJECT|KEY)_/.test(error.code))) throw error;
  return { backupId: key.slice(0, key.lastIndexOf('/')), key, code: error.code, message: error.message };
}
