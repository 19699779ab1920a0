import { scryptSync } from 'node:crypto';
import { isSecret } from '../domain/secret.ts';
import type { Config } from './schema/config.ts';
import { sortedJson } from './sorted-json.ts';

/** Passwords are guessable, so the digest is made slow to try: about 40 ms each. */
const SCRYPT = { N: 16_384, r: 8, p: 1 } as const;
const DIGEST_BYTES = 32;
/** Sections that change nothing a worker does. */
const IRRELEVANT: ReadonlySet<string> = new Set(['progress', '$schema']);

/** Hex digest of all effective values, secrets included; equal exactly when two workers would behave alike. One-way. */
export function configDigest(config: Config): string {
  const relevant = Object.fromEntries(Object.entries(config).filter(([section]) => !IRRELEVANT.has(section)));
  return scryptSync(sortedJson(relevant, reveal), 'lifeboat-config-digest', DIGEST_BYTES, SCRYPT).toString('hex');
}

/** What is revealed stays inside this file. */
const reveal = (value: unknown): unknown => (isSecret(value) ? { secret: value.reveal() } : value);
