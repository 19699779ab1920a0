import { existsSync, readFileSync } from 'node:fs';
import { relative, resolve } from 'node:path';
import { LifeboatError } from '../domain/errors.ts';
import { systemErrorCode } from '../platform/system-error.ts';
import type { Environment } from './environment.ts';
import { explainIssue } from './explain-issue.ts';
import { readVariables } from './from-environment.ts';
import { flatten, layerOf, layerOfTree, mergeLayers, originOf, type Layer, type Origin } from './layers.ts';
import { type Config, configSchema } from './schema/config.ts';
import { isPlainObject, mapLeaves } from './schema/walk.ts';
import { type Issue, resolveSecrets } from './secrets.ts';

/** Where the configuration is looked for when nothing names it. */
export const DEFAULT_CONFIG_FILE = 'config/backup.json';

export interface ConfigSources {
  /** `config`: the file; null reads none. `values`: effective values by dotted key, from command-line flags; `flag` names it in messages. */
  readonly flags?: {
    readonly config?: string | null | undefined;
    readonly values?: Readonly<Record<string, { readonly value: unknown; readonly flag: string }>>;
  };
  readonly env: Environment;
  /** Relative paths start here. */
  readonly cwd: string;
}

export interface LoadedConfig {
  readonly config: Config;
  /** Origin of every effective value, by dotted key. */
  readonly origins: Readonly<Record<string, Origin>>;
  /** What works, but should be changed or known. */
  readonly warnings: readonly string[];
  /** The file that was read, absolute; undefined without one. */
  readonly file: string | undefined;
}

/**
 * The effective configuration: flag over environment over file over default.
 * @throws LifeboatError CONFIG_FILE_MISSING, CONFIG_FILE_MALFORMED, CONFIG_INVALID (every problem is named at once)
 */
export function loadConfig(sources: ConfigSources): LoadedConfig {
  const { env, cwd } = sources;
  const file = findFile(sources);
  const variables = readVariables(env);
  const fileLayer =
    file === undefined ? layerOf([]) : layerOfTree(readFile(file), { kind: 'file', name: relative(cwd, file) });
  const merged = mergeLayers([fileLayer, variables.layer, flagLayer(sources)]);
  const secrets = resolveSecrets(merged.values, { env, cwd });
  const parsed = configSchema.safeParse(secrets.tree);
  const issues = [
    ...variables.issues,
    ...secrets.issues,
    ...(parsed.success ? [] : parsed.error.issues.flatMap((issue) => explainIssue(configSchema, issue))),
  ];
  if (issues.length > 0 || !parsed.success) throw invalid(issues, merged.origins);
  const config = resolvePaths(parsed.data, cwd);
  const literals = secrets.literals.filter((key) => originOf(merged.origins, key.split('.'))?.kind === 'file');
  return {
    config,
    origins: allOrigins(config, merged.origins),
    warnings: [
      ...variables.warnings,
      ...literals.map(
        (key) => `${key} holds a secret in ${relative(cwd, file ?? '')}: use {"env": "NAME"} or {"file": "PATH"}`,
      ),
    ],
    file,
  };
}

function findFile({ flags, env, cwd }: ConfigSources): string | undefined {
  const variable = env['LIFEBOAT_CONFIG'] === '' ? undefined : env['LIFEBOAT_CONFIG'];
  if (flags?.config === null) return undefined;
  const named = flags?.config ?? variable;
  if (named !== undefined) return resolve(cwd, named);
  const usual = resolve(cwd, DEFAULT_CONFIG_FILE);
  return existsSync(usual) ? usual : undefined;
}

function readFile(file: string): Record<string, unknown> {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (cause) {
    const code = systemErrorCode(cause) ?? 'not readable';
    throw new LifeboatError('CONFIG_FILE_MISSING', `read configuration ${file}: ${code}`, { cause, details: { file } });
  }
  const tree = parseJson(text, file);
  if (isPlainObject(tree)) return tree;
  throw new LifeboatError('CONFIG_FILE_MALFORMED', `read configuration ${file}: not a json object`, {
    details: { file },
  });
}

function parseJson(text: string, file: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    // The parser's own message quotes the text around the fault, which may be a password: only its place is told.
    const place = /position (\d+)/.exec(error instanceof Error ? error.message : '')?.[1];
    const line = place === undefined ? text.split('\n').length : text.slice(0, Number(place)).split('\n').length;
    // oxlint-disable-next-line preserve-caught-error -- for the same reason the cause is not kept
    throw new LifeboatError('CONFIG_FILE_MALFORMED', `read configuration ${file}: not json at line ${line}`, {
      details: { file, line },
    });
  }
}

function flagLayer({ flags }: ConfigSources): Layer {
  return layerOf(
    Object.entries(flags?.values ?? {}).map(
      ([key, { value, flag }]) => [key, value, { kind: 'flag', name: flag }] as const,
    ),
  );
}

function invalid(issues: readonly Issue[], origins: ReadonlyMap<string, Origin>): LifeboatError {
  const lines = issues.map((issue) => {
    const key = issue.path.map(String).join('.');
    const origin = originOf(origins, issue.path);
    const name = origin === undefined || origin.name === key ? '' : ` (${origin.name})`;
    return `${key}${name}: ${issue.message}`;
  });
  return new LifeboatError('CONFIG_INVALID', `check configuration: ${lines.join('; ')}`, {
    details: { problems: lines },
  });
}

function resolvePaths(config: Config, cwd: string): Config {
  const resolved = mapLeaves(configSchema, config, (value, kind) => {
    if (typeof value !== 'string') return value;
    return kind === 'path' || (kind === 'program' && value.includes('/')) ? resolve(cwd, value) : value;
  });
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a copy of a Config, text for text
  return resolved as Config;
}

function allOrigins(config: Config, origins: ReadonlyMap<string, Origin>): Record<string, Origin> {
  const fallback: Origin = { kind: 'default', name: 'default' };
  return Object.fromEntries(
    [...flatten(config).keys()].map((key) => [key, originOf(origins, key.split('.')) ?? fallback]),
  );
}
