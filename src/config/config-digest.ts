import { scryptSync } from 'node:crypto';
import { isSecret } from '../domain/secret.ts';
import type { Config } from './schema/config.ts';

/** Passwords are guessable, so the digest is made slow to try: about 40 ms each. */
const SCRYPT = { N: 16_384, r: 8, p: 1 } as const;
const DIGEST_BYTES = 32;
/** Sections that change nothing a worker does. */
const IRRELEVANT: ReadonlySet<string> = new Set(['progress', '$schema']);

/** Hex digest of all effective values, secrets included; equal exactly when two workers would behave alike. One-way. */
export function configDigest(config: Config): string {
  const relevant = Object.fromEntries(Object.entries(config).filter(([section]) => !IRRELEVANT.has(section)));
  return scryptSync(canonical(relevant), 'lifeboat-config-digest', DIGEST_BYTES, SCRYPT).toString('hex');
}

/** JSON with sorted keys and revealed secrets; stays inside this file. */
function canonical(value: unknown): string {
  if (isSecret(value)) return JSON.stringify({ secret: value.reveal() });
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null';
  const entries = Object.entries(value)
    .filter(([, inner]) => inner !== undefined)
    .toSorted(([left], [right]) => (left < right ? -1 : 1));
  return `{${entries.map(([key, inner]) => `${JSON.stringify(key)}:${canonical(inner)}`).join(',')}}`;
}
