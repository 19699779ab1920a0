import { hash } from 'node:crypto';

/** A readable prefix stops here at the latest. */
const PREFIX_MAX_CHARACTERS = 32;

/**
 * A key as messages and reports may show it. Keys of session stores hold tokens, so only what stands before the first
 * `:` is shown, and the begin of a SHA-256 that lets its owner find it: `sess:…#5f2b9d30c1aa`.
 */
export function describeKey(key: Buffer): string {
  const text = key.toString('latin1');
  const colon = text.indexOf(':');
  const prefix = colon < 0 ? '' : text.slice(0, colon + 1);
  const shown = /^[\w.@{}-]+:$/.test(prefix) && prefix.length <= PREFIX_MAX_CHARACTERS ? prefix : '';
  return `${shown}…#${hash('sha256', key, 'hex').slice(0, 12)}`;
}
