import { LifeboatError } from '../domain/errors.ts';

/** An option of a command: `--drop-existing`, `--target-database <name>`, `--label <key=value>` (repeatable). */
export interface OptionSpec<T> {
  readonly takes: 'nothing' | 'value' | 'values';
  /** Shown in help: `<name>`. */
  readonly placeholder: string;
  readonly description: string;
  readonly choices?: readonly string[];
  /** One value from its text; throws LifeboatError or Error for text that cannot be used. */
  readonly parse?: (text: string) => unknown;
  /** Only carries the type of the outcome; never set. */
  readonly outcome?: T;
}

/** A positional argument. */
export interface ArgumentSpec<T> {
  readonly arity: 'one' | 'optional' | 'many';
  readonly description: string;
  /** What its text looks like, where that can be told; helps to sort out what npm mixed up. */
  readonly pattern?: RegExp;
  readonly outcome?: T;
}

export type Options = Readonly<Record<string, OptionSpec<unknown>>>;
export type Arguments = Readonly<Record<string, ArgumentSpec<unknown>>>;
export type OptionValues<O extends Options> = { readonly [K in keyof O]: O[K] extends OptionSpec<infer T> ? T : never };
export type ArgumentValues<A extends Arguments> = {
  readonly [K in keyof A]: A[K] extends ArgumentSpec<infer T> ? T : never;
};

/** A backup id. */
const BACKUP_ID = /^backup-\d{4}-\d{2}-\d{2}T\d{2}-\d{2}-\d{2}-\d{3}Z$/;
/** What names a backup: an id or `latest`. */
export const BACKUP_OR_LATEST = new RegExp(`${BACKUP_ID.source}|^latest$`);

/** `--name`: false unless it is given. */
export function flag(description: string): OptionSpec<boolean> {
  return { takes: 'nothing', placeholder: '', description };
}

/** `--name <value>`: undefined unless it is given. */
export function value(placeholder: string, description: string): OptionSpec<string | undefined>;
export function value<T>(
  placeholder: string,
  description: string,
  parse: (text: string) => T,
): OptionSpec<T | undefined>;
export function value(
  placeholder: string,
  description: string,
  parse?: (text: string) => unknown,
): OptionSpec<unknown> {
  return { takes: 'value', placeholder, description, ...(parse ? { parse } : {}) };
}

/** `--name <value>` any number of times: a list, empty unless it is given. */
export function values(placeholder: string, description: string): OptionSpec<readonly string[]>;
export function values<T>(
  placeholder: string,
  description: string,
  parse: (text: string) => T,
): OptionSpec<readonly T[]>;
export function values(
  placeholder: string,
  description: string,
  parse?: (text: string) => unknown,
): OptionSpec<unknown> {
  return { takes: 'values', placeholder, description, ...(parse ? { parse } : {}) };
}

/** `--name <choice>`: one of the given words. */
export function choice<const C extends string>(choices: readonly C[], description: string): OptionSpec<C | undefined> {
  return { takes: 'value', placeholder: `<${choices.join('|')}>`, description, choices };
}

export function required(description: string, pattern?: RegExp): ArgumentSpec<string> {
  return { arity: 'one', description, ...(pattern ? { pattern } : {}) };
}

export function optional(description: string, pattern?: RegExp): ArgumentSpec<string | undefined> {
  return { arity: 'optional', description, ...(pattern ? { pattern } : {}) };
}

export function many(description: string, pattern?: RegExp): ArgumentSpec<readonly string[]> {
  return { arity: 'many', description, ...(pattern ? { pattern } : {}) };
}

/** `key=value`, for `--label` and `--param`. */
export function parsePair(text: string): readonly [key: string, value: string] {
  const split = text.indexOf('=');
  if (split > 0) return [text.slice(0, split), text.slice(split + 1)];
  throw new LifeboatError('USAGE_INVALID', `read ${JSON.stringify(text)}: no = between a key and a value`);
}

/** `targetDatabase` → `--target-database`. */
export function flagName(key: string): string {
  return `--${key.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}
