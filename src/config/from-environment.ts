import * as z from 'zod';
import { nearestName } from '../domain/nearest-name.ts';
import type { Environment } from './environment.ts';
import { layerOf, type Layer, type Origin } from './layers.ts';
import { configSchema } from './schema/config.ts';
import { kindOf, optionsOf, schemasAt, unwrap } from './schema/walk.ts';
import type { Issue } from './secrets.ts';
import { OTHER_VARIABLES, OWN_PREFIXES, UNSUPPORTED_VARIABLES, VARIABLES } from './variables.ts';

/** What the environment sets. Empty variables count as not set; `NAME_FILE` is taken for secrets only. */
export function readVariables(env: Environment): {
  readonly layer: Layer;
  readonly issues: readonly Issue[];
  readonly warnings: readonly string[];
} {
  const issues: Issue[] = [];
  const entries: (readonly [string, unknown, Origin])[] = [];
  for (const [variable, key] of Object.entries(VARIABLES)) {
    const fileVariable = `${variable}_FILE`;
    const text = given(env, variable);
    const file = isSecretKey(key) ? given(env, fileVariable) : undefined;
    if (text !== undefined && file !== undefined) {
      issues.push({ path: [variable], message: `set beside ${fileVariable}; only one of them can be meant` });
    } else if (text !== undefined) {
      entries.push([key, parseText(key, text), { kind: 'environment', name: variable }]);
    } else if (file !== undefined) {
      entries.push([key, { file }, { kind: 'environment', name: fileVariable }]);
    }
  }
  return { layer: layerOf(entries), issues: [...issues, ...unknownVariables(env)], warnings: ignoredVariables(env) };
}

/** All names that are read from the environment. */
export function knownVariables(): readonly string[] {
  const files = Object.entries(VARIABLES).filter(([, key]) => isSecretKey(key));
  return [...Object.keys(VARIABLES), ...files.map(([variable]) => `${variable}_FILE`), ...Object.keys(OTHER_VARIABLES)];
}

function given(env: Environment, name: string): string | undefined {
  const text = env[name];
  return text === undefined || text.trim() === '' ? undefined : text;
}

function isSecretKey(key: string): boolean {
  return schemasAt(configSchema, key.split('.')).some((schema) => kindOf(schema)?.startsWith('secret') === true);
}

/** Text as the key's type wants it. What does not fit stays text, and the schema says what it expected. */
function parseText(key: string, text: string): unknown {
  const types = schemasAt(configSchema, key.split('.')).flatMap((schema) => jsonTypes(unwrap(schema)));
  const plain = text.trim();
  if (types.includes('boolean') && /^(true|yes|on|1)$/i.test(plain)) return true;
  if (types.includes('boolean') && /^(false|no|off|0)$/i.test(plain)) return false;
  if (types.includes('number') && /^-?\d+(\.\d+)?$/.test(plain)) return Number(plain);
  if (types.includes('array'))
    return plain
      .split(/[,\n]/)
      .map((item) => item.trim())
      .filter((item) => item !== '');
  return text;
}

/** JSON types that text may stand for besides itself. */
function jsonTypes(schema: z.core.$ZodType): readonly ('boolean' | 'number' | 'array')[] {
  if (schema instanceof z.ZodUnion) return optionsOf(schema).flatMap((option) => jsonTypes(unwrap(option)));
  if (schema instanceof z.ZodPipe) return jsonTypes(unwrap(schema.in));
  if (schema instanceof z.ZodBoolean) return ['boolean'];
  if (schema instanceof z.ZodNumber) return ['number'];
  return schema instanceof z.ZodArray ? ['array'] : [];
}

function unknownVariables(env: Environment): readonly Issue[] {
  const known = knownVariables();
  return Object.keys(env)
    .filter((name) => OWN_PREFIXES.some((prefix) => name.startsWith(prefix)) && !known.includes(name))
    .map((name) => ({ path: [name], message: suggestion('unknown environment variable', nearestName(name, known)) }));
}

function ignoredVariables(env: Environment): readonly string[] {
  return UNSUPPORTED_VARIABLES.filter((name) => given(env, name) !== undefined).map(
    (name) => `${name} is set, but Lifeboat does not follow it`,
  );
}

/** Adds a suggestion to a statement, where there is one. */
export function suggestion(statement: string, nearest: string | undefined): string {
  return nearest === undefined ? statement : `${statement}; did you mean ${nearest}?`;
}
