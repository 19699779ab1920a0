import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { createSecret, MASK, type Secret } from '../domain/secret.ts';
import { systemErrorCode } from '../platform/system-error.ts';
import type { Environment } from './environment.ts';
import { configSchema } from './schema/config.ts';
import { isPlainObject, mapLeaves } from './schema/walk.ts';

/** A value that could not be used, named by the key that holds it. */
export interface Issue {
  readonly path: readonly PropertyKey[];
  readonly message: string;
}

/**
 * Replaces every secret in a raw configuration tree: text, `{"env": NAME}` and `{"file": PATH}` become Secrets. Other values
 * stay, for the schema to refuse. `literals` lists the keys whose secret stood in the tree itself.
 */
export function resolveSecrets(
  tree: unknown,
  context: { readonly env: Environment; readonly cwd: string },
): { readonly tree: unknown; readonly literals: readonly string[]; readonly issues: readonly Issue[] } {
  const literals: string[] = [];
  const issues: Issue[] = [];
  const resolved = mapLeaves(configSchema, tree, (value, kind, path) => {
    if (kind !== 'secret' && kind !== 'secretUrl') return value;
    const wrap = (text: string): Secret => createSecret(text, kind === 'secretUrl' ? maskUrl(text) : MASK);
    if (typeof value === 'string') {
      if (kind === 'secret' || hasPassword(value)) literals.push(path.join('.'));
      return wrap(value);
    }
    const outcome = readReference(value, context);
    if (typeof outcome === 'string') return wrap(outcome);
    if (outcome !== undefined) issues.push({ path, message: outcome.problem });
    return outcome === undefined ? value : wrap('unresolved');
  });
  return { tree: resolved, literals, issues };
}

/** The value of a reference; undefined when it is none. */
function readReference(
  value: unknown,
  { env, cwd }: { readonly env: Environment; readonly cwd: string },
): string | { readonly problem: string } | undefined {
  if (!isPlainObject(value) || Object.keys(value).length !== 1) return undefined;
  if (typeof value['env'] === 'string') {
    const found = env[value['env']];
    return found === undefined || found === '' ? { problem: `environment variable ${value['env']} is not set` } : found;
  }
  if (typeof value['file'] !== 'string') return undefined;
  return readSecretFile(resolve(cwd, value['file']));
}

function readSecretFile(file: string): string | { readonly problem: string } {
  try {
    // A final line break is how editors and `echo` end a file, not part of the secret.
    const text = readFileSync(file, 'utf8').replace(/\r?\n$/, '');
    return text === '' ? { problem: `file ${file} is empty` } : text;
  } catch (error) {
    return { problem: `file ${file}: ${systemErrorCode(error) ?? 'not readable'}` };
  }
}

/** A URL as it may be shown: without its password and without parameters that could hold one. */
export function maskUrl(text: string): string {
  const url = parseUrl(text);
  if (!url) return MASK;
  if (/^https?:$/.test(url.protocol)) return `${url.protocol}//${url.host}/${MASK}`;
  const masked = text.replace(/^([a-z][a-z0-9+.-]*:\/\/[^:@/?#]*):[^@/]*@/i, `$1:${MASK}@`);
  return masked.replace(/([?&][^=&#]*(?:password|secret|token|key)[^=&#]*=)[^&#]*/gi, `$1${MASK}`);
}

function hasPassword(text: string): boolean {
  return maskUrl(text).includes(MASK);
}

function parseUrl(text: string): URL | undefined {
  return URL.canParse(text) ? new URL(text) : undefined;
}
