import { isNativeError } from 'node:util/types';
import { LifeboatError, type ErrorCode } from '../domain/errors.ts';

const WRITE_CODES: Readonly<Record<string, ErrorCode>> = {
  ENOSPC: 'STORE_FULL',
  EDQUOT: 'STORE_FULL',
  EFBIG: 'STORE_FULL',
  EROFS: 'STORE_READ_ONLY',
  EACCES: 'STORE_READ_ONLY',
  EPERM: 'STORE_READ_ONLY',
  EEXIST: 'STORE_KEY_EXISTS',
  EISDIR: 'STORE_KEY_INVALID',
  ENOTDIR: 'STORE_KEY_INVALID',
  ENAMETOOLONG: 'STORE_KEY_INVALID',
};

const READ_CODES: Readonly<Record<string, ErrorCode>> = {
  ENOENT: 'STORE_KEY_MISSING',
  ENOTDIR: 'STORE_KEY_MISSING',
  EISDIR: 'STORE_KEY_MISSING',
  EACCES: 'STORE_DENIED',
  EPERM: 'STORE_DENIED',
};

export function systemCode(error: unknown): string {
  return isNativeError(error) && 'code' in error && typeof error.code === 'string' ? error.code : '';
}

/** Runs one file system call of a read or a write; its errors come out as STORE_* with the system's code in the facts. */
export async function fileSystem<T>(intent: 'read' | 'write', doing: string, call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (error) {
    const code = systemCode(error);
    const known = (intent === 'write' ? WRITE_CODES : READ_CODES)[code] ?? 'STORE_IO';
    throw new LifeboatError(known, `${doing}: ${code === '' ? String(error) : code}`, {
      cause: error,
      details: { systemCode: code },
    });
  }
}
