import { LifeboatError } from '../../../domain/errors.ts';

/** Throws REDIS_VALUE_CORRUPT: `what` is the encoding at hand, `fact` what is wrong with it. */
export function corrupt(what: string, fact: string, cause?: unknown): never {
  throw new LifeboatError('REDIS_VALUE_CORRUPT', `read redis value: ${what}: ${fact}`, { cause });
}
