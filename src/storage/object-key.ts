import { LifeboatError } from '../domain/errors.ts';

const SEGMENT = /^(?!\.{1,2}$)[A-Za-z0-9._-]+$/;

/** Refuses what no store may be asked for: STORE_KEY_INVALID. A key can therefore never leave a store's root. */
export function requireKey(key: string): string {
  if (key.split('/').every((segment) => SEGMENT.test(segment))) return key;
  throw new LifeboatError('STORE_KEY_INVALID', `key ${JSON.stringify(key)}: not segments of [A-Za-z0-9._-]+`);
}

/** A prefix is the beginning of a key: whole segments, then at most the beginning of one. */
export function requirePrefix(prefix: string): string {
  const segments = prefix.split('/');
  const last = segments.pop() ?? '';
  if (segments.every((segment) => SEGMENT.test(segment)) && /^[A-Za-z0-9._-]*$/.test(last)) return prefix;
  throw new LifeboatError('STORE_KEY_INVALID', `prefix ${JSON.stringify(prefix)}: not the beginning of a key`);
}

export function isKeySegment(name: string): boolean {
  return SEGMENT.test(name);
}
