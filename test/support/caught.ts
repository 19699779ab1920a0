import { LifeboatError } from '../../src/domain/errors.ts';

/** The LifeboatError that `work` throws or rejects with; a test that expects one fails when there is none. */
export async function caught(work: () => unknown): Promise<LifeboatError> {
  try {
    await work();
  } catch (error) {
    if (error instanceof LifeboatError) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
}
