import type { Environment } from '../config/environment.ts';
import { LifeboatError } from '../domain/errors.ts';
import { editDistance } from '../domain/nearest-name.ts';
import type { Command } from './command.ts';
import { GLOBAL_OPTIONS } from './globals.ts';
import { type Arguments, flagName, type OptionSpec, type Options } from './options.ts';

/** The npm script that runs this program. */
const SCRIPT = 'backup:cli';

/**
 * npm's own settings whose names are ours, or nearly. They stand in the environment of many machines without anybody having
 * typed them, so they say nothing about a typing error; and `yes` is never taken over, for the same reason: a CI
 * machine that answers npm's questions with yes has not agreed to a restore.
 */
const NPM_SETTINGS: ReadonlySet<string> = new Set([
  'yes',
  'json',
  'key',
  'dry-run',
  'force',
  'dev',
  'os',
  'fund',
  'link',
  'omit',
  'scope',
]);
const NEVER_TAKEN: ReadonlySet<string> = new Set(['yes']);
/** Letters that a typing error gets wrong; more would take npm's settings, which are many, for errors. */
const TYPING_ERROR_DISTANCE = 2;
/** Beyond this many values without an option the readings are too many to list. */
const MAX_STRAYS = 4;

interface Eaten {
  readonly key: string;
  readonly spec: OptionSpec<unknown>;
}

/**
 * The command line as it was typed. `npm run backup:cli restore ID --drop-existing --target-database X` reaches the program as
 * `restore ID X`, with the options in the environment and the value loose among the arguments. They are put together
 * again where there is exactly one reading.
 * @throws LifeboatError USAGE_AMBIGUOUS, with the command line to type
 */
export function recoverNpmFlags(
  argv: readonly string[],
  env: Environment,
  commands: readonly Command[],
): readonly string[] {
  if (env['npm_lifecycle_event'] !== SCRIPT) return argv;
  const command = findCommand(argv, commands);
  if (command === undefined) return argv;
  const options: Options = { ...GLOBAL_OPTIONS, ...command.options };
  refuseStrangers(env, { command, options, commands });
  const words = command.name.split(' ');
  const rest = argv.slice(words.length);
  const given: string[] = [];
  const missing: Eaten[] = [];
  for (const [key, spec] of Object.entries(options)) {
    const name = flagName(key);
    if (rest.some((word) => word === name || word.startsWith(`${name}=`))) continue;
    for (const text of eatenTexts(env, name)) collect({ key, spec }, text, { given, missing });
  }
  if (isQuietened(env)) given.push('--quiet');
  if (missing.length === 0) return [...words, ...given, ...rest];
  return [...words, ...given, ...settle(command, { rest, given, missing })];
}

/** The command that the leading words name; the longest name wins. */
function findCommand(argv: readonly string[], commands: readonly Command[]): Command | undefined {
  return commands
    .filter(({ name }) => name.split(' ').every((word, index) => argv[index] === word))
    .toSorted((left, right) => right.name.length - left.name.length)[0];
}

/** What npm kept of an option: nothing, `true`, a value, or several of these. */
function eatenTexts(env: Environment, name: string): readonly string[] {
  if (NEVER_TAKEN.has(name.slice(2))) return [];
  const text = env[`npm_config_${name.slice(2).replaceAll('-', '_')}`];
  return text === undefined || text === '' || text === 'false' ? [] : text.split('\n\n');
}

/** npm takes --quiet for itself and only lowers its own voice. */
function isQuietened(env: Environment): boolean {
  return ['warn', 'error', 'silent'].includes(env['npm_config_loglevel'] ?? '');
}

function collect(eaten: Eaten, text: string, into: { given: string[]; missing: Eaten[] }): void {
  const name = flagName(eaten.key);
  if (eaten.spec.takes === 'nothing') {
    if (text !== 'true') throw ambiguous(`${name} takes no value, but npm kept ${JSON.stringify(text)} for it`);
    into.given.push(name);
  } else if (text === 'true') {
    into.missing.push(eaten);
  } else {
    into.given.push(`${name}=${text}`);
  }
}

/** Finds the one way to give every option without a value one of the loose words. */
function settle(
  command: Command,
  {
    rest,
    given,
    missing,
  }: { readonly rest: readonly string[]; readonly given: readonly string[]; readonly missing: readonly Eaten[] },
): readonly string[] {
  const readings =
    missing.length > MAX_STRAYS
      ? []
      : distinct(assign(rest, missing).filter(({ left }) => fits(left, command.arguments)));
  const lines = readings.map(({ left, flags }) => [...flags, ...left]);
  if (lines.length === 1 && lines[0]) return lines[0];
  const type = (words: readonly string[]): string =>
    `npm run ${SCRIPT} -- ${[...command.name.split(' '), ...words].map(quote).join(' ')}`;
  const names = missing.map(({ key, spec }) => `${flagName(key)} ${spec.placeholder}`);
  const blank = [...Object.keys(command.arguments).map((name) => `<${name}>`), ...given, ...names].join(' ');
  const hint =
    lines.length > 0
      ? lines
          .map((line) => type([...line.filter((word) => !word.startsWith('--')), ...given, ...spread(line)]))
          .join('   or   ')
      : `npm run ${SCRIPT} -- ${command.name} ${blank}`;
  throw ambiguous(
    `npm took ${names.join(' and ')} and left ${rest.length === 0 ? 'no value' : rest.map(quote).join(' ')}`,
    hint,
  );
}

interface Reading {
  readonly left: readonly string[];
  readonly flags: readonly string[];
}

/** Every way to hand a loose word to each option; the other words keep their order. */
function assign(rest: readonly string[], missing: readonly Eaten[]): readonly Reading[] {
  const [next, ...others] = missing;
  if (next === undefined) return [{ left: rest, flags: [] }];
  return rest.flatMap((word, index) => {
    if (word.startsWith('--') || !accepts(next.spec, word)) return [];
    const flags = [`${flagName(next.key)}=${word}`];
    return assign(rest.toSpliced(index, 1), others).map((reading) => ({
      left: reading.left,
      flags: [...flags, ...reading.flags],
    }));
  });
}

function accepts(spec: OptionSpec<unknown>, word: string): boolean {
  if (spec.choices) return spec.choices.includes(word);
  try {
    spec.parse?.(word);
    return true;
  } catch {
    // Not a value of this option, so not this reading.
    return false;
  }
}

function fits(words: readonly string[], specs: Arguments): boolean {
  const list = Object.values(specs);
  const plain = words.filter((word) => !word.startsWith('--'));
  const least = list.filter((spec) => spec.arity === 'one').length;
  const most = list.some((spec) => spec.arity === 'many') ? Number.POSITIVE_INFINITY : list.length;
  if (plain.length < least || plain.length > most) return false;
  return plain.every((word, index) => (list[index] ?? list.at(-1))?.pattern?.test(word) ?? true);
}

/** Readings that come to the same, such as the two orders of a repeated option, count once; the first keeps the typed order. */
function distinct(readings: readonly Reading[]): readonly Reading[] {
  return [
    ...new Map(
      readings.toReversed().map((reading) => [JSON.stringify([reading.left, reading.flags.toSorted()]), reading]),
    ).values(),
  ].toReversed();
}

/** An option of another command, or one that is nearly ours, must not vanish without a word. */
function refuseStrangers(
  env: Environment,
  {
    command,
    options,
    commands,
  }: { readonly command: Command; readonly options: Options; readonly commands: readonly Command[] },
): void {
  const own = new Set(Object.keys(options).map((key) => flagName(key).slice(2)));
  const others = new Set(commands.flatMap((each) => Object.keys(each.options).map((key) => flagName(key).slice(2))));
  for (const variable of Object.keys(env).filter((name) => name.startsWith('npm_config_'))) {
    const name = variable.slice('npm_config_'.length).replaceAll('_', '-');
    if (own.has(name) || NPM_SETTINGS.has(name)) continue;
    const meant = [...own].find((option) => editDistance(name, option) <= TYPING_ERROR_DISTANCE);
    if (!others.has(name) && meant === undefined) continue;
    const suggestion = meant === undefined ? '' : `; did you mean --${meant}?`;
    throw new LifeboatError('USAGE_INVALID', `unknown option --${name} for ${command.name}${suggestion}`);
  }
}

function spread(words: readonly string[]): readonly string[] {
  return words
    .filter((word) => word.startsWith('--'))
    .flatMap((word) => [word.slice(0, word.indexOf('=')), word.slice(word.indexOf('=') + 1)]);
}

function quote(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", String.raw`'\''`)}'`;
}

function ambiguous(message: string, line?: string): LifeboatError {
  return new LifeboatError('USAGE_AMBIGUOUS', message, line === undefined ? {} : { hint: `type: ${line}` });
}
