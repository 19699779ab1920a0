import { types } from 'node:util';
import { LifeboatError } from '../domain/errors.ts';

/** The code of an error of the operating system or of Node (`ENOENT`, `EADDRINUSE`); undefined for anything else, our own errors too. */
export function systemErrorCode(error: unknown): string | undefined {
  // Not `instanceof Error`: under jest Node's own errors come from another realm.
  if (!types.isNativeError(error) || !('code' in error) || error instanceof LifeboatError) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}
