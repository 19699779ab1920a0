import { Argument, Command as Commander, Option } from 'commander';
import { LifeboatError } from '../domain/errors.ts';
import { type Command, type CommandResult } from './command.ts';
import { COMMON_EXITS, EXIT_CODES, type ExitCode } from './exit-codes.ts';
import { GLOBAL_OPTIONS, type GlobalValues } from './globals.ts';
import { type Arguments, flagName, type OptionSpec, type Options } from './options.ts';

/** A command with what was typed behind it. */
export interface Invocation {
  readonly command: Command;
  readonly input: Parameters<Command['run']>[1];
  readonly globals: GlobalValues;
}

export interface ProgramParts {
  readonly commands: readonly Command[];
  /** Summary of each first word that several commands share. */
  readonly groups: Readonly<Record<string, string>>;
  readonly version: string;
  run(invocation: Invocation): Promise<CommandResult | void>;
  writeOut(text: string): void;
  writeErr(text: string): void;
}

/** The commander program: one node per word, options and arguments from the commands. */
export function buildProgram(parts: ProgramParts): Commander {
  const program = configure(new Commander('lifeboat'), parts)
    .description('Backup, restore and disaster recovery for PostgreSQL and Redis, as durable Temporal workflows.')
    .version(parts.version, '-V, --version')
    .configureHelp({ showGlobalOptions: true, sortSubcommands: false })
    .addHelpText('after', '\nExample:\n  $ lifeboat backup full\n\nExit codes of every command are in its own --help.');
  for (const [key, spec] of Object.entries<OptionSpec<unknown>>(GLOBAL_OPTIONS)) program.addOption(toOption(key, spec));
  for (const command of parts.commands) addCommand(program, command, parts);
  return program;
}

function addCommand(program: Commander, command: Command, parts: ProgramParts): void {
  const words = command.name.split(' ');
  const parent = words.slice(0, -1).reduce((node, word) => childGroup(node, word, parts), program);
  const node = configure(parent.command(words.at(-1) ?? ''), parts).summary(command.summary);
  node.description(
    `${capitalise(command.summary)}.${command.description === undefined ? '' : `\n${command.description}`}`,
  );
  for (const argument of toArguments(command.arguments)) node.addArgument(argument);
  for (const [key, spec] of Object.entries(command.options)) node.addOption(toOption(key, spec));
  node.addHelpText('after', `\n${helpTail(command)}`);
  node.action(async () => {
    takeBackOptions(node, program);
    const globals = program.opts<GlobalValues>();
    const input = {
      arguments: readArguments(command.arguments, node.processedArgs),
      options: readOptions(command.options, node.opts()),
    };
    await parts.run({ command, globals, input });
  });
}

/**
 * `restore` reads its options wherever they stand, also those of `restore undo RUN --detach`: what both know is handed on.
 * What only `restore` knows is refused, because `restore undo RUN --dry-run` would undo for real.
 * @throws LifeboatError USAGE_INVALID
 */
function takeBackOptions(node: Commander, program: Commander): void {
  for (let above = node.parent; above !== null && above !== program; above = above.parent) {
    for (const option of above.options) {
      const name = option.attributeName();
      if (above.getOptionValueSource(name) !== 'cli') continue;
      if (node.options.every((own) => own.attributeName() !== name))
        throw new LifeboatError(
          'USAGE_INVALID',
          `read ${option.long}: not an option of ${above.name()} ${node.name()}`,
        );
      node.setOptionValueWithSource(name, above.getOptionValue(name), 'cli');
    }
  }
}

function childGroup(parent: Commander, word: string, parts: ProgramParts): Commander {
  const existing = parent.commands.find((child) => child.name() === word);
  return existing ?? configure(parent.command(word), parts).description(parts.groups[word] ?? word);
}

function configure(node: Commander, parts: ProgramParts): Commander {
  return node
    .exitOverride()
    .showSuggestionAfterError(true)
    .configureHelp({ showGlobalOptions: true, visibleGlobalOptions: optionsOfTheProgram })
    .configureOutput({
      writeOut: (text) => parts.writeOut(text),
      writeErr: (text) => parts.writeErr(text),
      // The error is thrown as well, and reported once, by main.
      outputError: () => undefined,
    });
}

/** Those of the program alone: what `restore` takes is no option of `restore undo`. */
function optionsOfTheProgram(node: Commander): Option[] {
  const program = node.parent === null ? undefined : topOf(node);
  return program === undefined ? [] : program.options.filter(({ hidden }) => !hidden);
}

function topOf(node: Commander): Commander {
  return node.parent === null ? node : topOf(node.parent);
}

/** Examples and exit codes, the same way for every command. */
export function helpTail(command: Command): string {
  const codes = [...new Set<ExitCode>([...COMMON_EXITS, ...command.exits])].toSorted((left, right) => left - right);
  return [
    command.examples.length > 1 ? 'Examples:' : 'Example:',
    ...command.examples.map((example) => `  $ lifeboat ${example}`),
    '',
    'Exit codes:',
    ...codes.map((code) => `  ${String(code).padEnd(4)} ${EXIT_CODES[code]}`),
  ].join('\n');
}

function toArguments(specs: Arguments): readonly Argument[] {
  const brackets = { one: ['<', '>'], optional: ['[', ']'], many: ['[', '...]'] } as const;
  return Object.entries(specs).map(([name, spec]) => new Argument(brackets[spec.arity].join(name), spec.description));
}

function toOption(key: string, spec: OptionSpec<unknown>): Option {
  const placeholder = spec.takes === 'nothing' ? '' : ` ${spec.placeholder}`;
  const option = new Option(`${flagName(key)}${placeholder}`, spec.description);
  const read = (text: string): unknown => readValue(flagName(key), spec, text);
  if (spec.takes === 'value') option.argParser(read);
  if (spec.takes === 'values')
    option.argParser((text, before: readonly unknown[] | undefined) => [...(before ?? []), read(text)]);
  return option;
}

function readValue(name: string, spec: OptionSpec<unknown>, text: string): unknown {
  if (spec.choices && !spec.choices.includes(text)) {
    throw new LifeboatError(
      'USAGE_INVALID',
      `read ${name}: ${JSON.stringify(text)} is none of ${spec.choices.join(', ')}`,
    );
  }
  return spec.parse ? spec.parse(text) : text;
}

function readOptions(specs: Options, given: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  const empty = { nothing: false, value: undefined, values: [] } as const;
  return Object.fromEntries(Object.entries(specs).map(([key, spec]) => [key, given[key] ?? empty[spec.takes]]));
}

function readArguments(specs: Arguments, given: readonly unknown[]): Readonly<Record<string, unknown>> {
  return Object.fromEntries(Object.keys(specs).map((name, index) => [name, given[index]]));
}

function capitalise(text: string): string {
  return text.slice(0, 1).toUpperCase() + text.slice(1);
}
