/**
 * The command line. How a command is added:
 *
 * 1. One file, `commands/backup-full.ts` (or `local/` without Temporal, `rescue/` without Temporal and configuration), with
 *    `export const backupFull = defineCommand({ name: 'backup full', summary, arguments, options, examples, answers, exits, run })`.
 *    command.ts says what each part is; options.ts has `flag`, `value`, `values`, `choice`, `required`, `optional`, `many`.
 * 2. One line in registry.ts. Help, completion, npm's eaten flags, docs/reference/cli.md and the tests follow from it.
 * 3. The file is loaded for every `--help`: it imports heavy things (Temporal, drivers, zod) inside `run` only.
 *
 * `run(context, input)` answers `{json, text}`; it throws LifeboatErrors and prints nothing itself: the answer, the error, the
 * exit code and the form of both are decided here.
 */
import { readFileSync } from 'node:fs';
import { types } from 'node:util';
import { CommanderError } from 'commander';
import { processEnvironment } from '../config/environment.ts';
import { LifeboatError, toLifeboatError } from '../domain/errors.ts';
import { createCommandContext } from './command-context.ts';
import type { CommandResult } from './command.ts';
import type { ExitCode } from './exit-codes.ts';
import { type Interrupts, watchInterrupts } from './interrupts.ts';
import { recoverNpmFlags } from './npm-flags.ts';
import { createOutput, errorJson, type Output } from './output.ts';
import { buildProgram, type Invocation } from './program.ts';
import { COMMANDS, GROUPS } from './registry.ts';
import type { Surroundings } from './surroundings.ts';

/** Runs one command line. Resolves with its exit code; never rejects. */
export async function main(around: Surroundings): Promise<ExitCode> {
  const wantsJson = asksForJson(around);
  const output = createOutput({ ...around, quiet: false });
  const interrupts = watchInterrupts((text) => around.stderr.write(`${text}\n`));
  let exit: ExitCode = 0;
  const program = buildProgram({
    commands: COMMANDS,
    groups: GROUPS,
    version: packageVersion(),
    run: async (invocation) => {
      exit = await runCommand(invocation, { around, wantsJson, interrupts });
    },
    writeOut: (text) => around.stdout.write(text),
    writeErr: (text) => around.stderr.write(text),
  });
  try {
    await program.parseAsync(recoverNpmFlags(around.argv, around.env, COMMANDS), { from: 'user' });
    return exit;
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode === 0) return 0;
    const known =
      error instanceof CommanderError ? fromCommander(error, commandWords(around.argv)) : toLifeboatError(error);
    const exit = report(known, { output, wantsJson });
    return failureExitOf(around.argv) ?? exit;
  } finally {
    interrupts.stop();
  }
}

interface Running {
  readonly around: Surroundings;
  readonly wantsJson: boolean;
  readonly interrupts: Interrupts;
}

async function runCommand({ command, input, globals }: Invocation, running: Running): Promise<ExitCode> {
  const made = createCommandContext({ ...running, globals, commands: COMMANDS });
  const { context } = made;
  const reporting = { output: context.output, wantsJson: running.wantsJson };
  try {
    const result = await command.run(context, input);
    made.close();
    await printResult(result, reporting);
    return result.exit ?? result.failure?.rule.exit ?? 0;
  } catch (error) {
    made.close();
    const reason: unknown = context.signal.aborted && isAbort(error) ? context.signal.reason : error;
    const exit = report(toLifeboatError(reason), reporting);
    return command.failureExit ?? exit;
  }
}

/** Also where the command line is so wrong that nothing was run: the words of a command are in it. */
function failureExitOf(argv: readonly string[]): ExitCode | undefined {
  const line = ` ${argv.join(' ')} `;
  return COMMANDS.find(({ name, failureExit }) => failureExit !== undefined && line.includes(` ${name} `))?.failureExit;
}

interface Reporting {
  readonly output: Output;
  readonly wantsJson: boolean;
}

async function printResult(result: CommandResult, { output, wantsJson }: Reporting): Promise<void> {
  const { failure } = result;
  if (wantsJson) {
    output.json({ ok: failure === undefined, ...(failure ? { error: errorJson(failure) } : {}), ...result.json });
    return;
  }
  output.text(await result.text());
  if (failure) output.error(failure);
}

function report(error: LifeboatError, { output, wantsJson }: Reporting): ExitCode {
  if (wantsJson) output.json({ ok: false, error: errorJson(error) });
  else output.error(error);
  return error.rule.exit;
}

/** Known before anything is parsed, so that a usage error too comes as JSON. */
function asksForJson({ argv, env }: Surroundings): boolean {
  const viaNpm = env['npm_lifecycle_event'] === 'backup:cli';
  if (viaNpm && (env['npm_config_json'] === 'true' || env['npm_config_output'] === 'json')) return true;
  return argv.some(
    (word, index) =>
      word === '--json' || word === '--output=json' || (word === 'json' && argv[index - 1] === '--output'),
  );
}

function fromCommander(error: CommanderError, words: readonly string[]): LifeboatError {
  const hint = `see \`${['lifeboat', ...words].join(' ')} --help\``;
  if (error.code === 'commander.help')
    return new LifeboatError('USAGE_INVALID', 'run lifeboat: no command given', { hint });
  const message = error.message.replace(/^error: /, '').replaceAll('\n', ' ');
  return new LifeboatError('USAGE_INVALID', message, { cause: error, hint });
}

/** The words of the command line that lead into the tree of commands: `backup full` of `backup full --lable x`. */
function commandWords(argv: readonly string[]): readonly string[] {
  const words: string[] = [];
  for (const word of argv.filter((one) => !one.startsWith('-'))) {
    const longer = [...words, word].join(' ');
    if (!COMMANDS.some(({ name }) => name === longer || name.startsWith(`${longer} `))) return words;
    words.push(word);
  }
  return words;
}

function isAbort(error: unknown): boolean {
  if (error instanceof LifeboatError) return error.code === 'INTERRUPTED';
  return types.isNativeError(error) && error.name === 'AbortError';
}

function packageVersion(): string {
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
  const { version }: { version: string } = JSON.parse(text);
  return version;
}

/** How long the process may take to end by itself after the answer, before what still holds it open is cut off. */
const LINGER_MS = 2_000;

if (import.meta.main) {
  // A reader that has seen enough (`| head`) closes the pipe; that is its right.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1));
  const { stdin, stdout, stderr } = process;
  const argv = process.argv.slice(2);
  const failureExit = failureExitOf(argv);
  if (failureExit !== undefined) {
    process.on('uncaughtException', (error) => {
      stderr.write(`${error.stack}\n`);
      process.exit(failureExit);
    });
  }
  process.exitCode = await main({
    argv,
    env: processEnvironment(),
    cwd: process.cwd(),
    stdin,
    stdout,
    stderr,
  });
  setTimeout(() => process.exit(), LINGER_MS).unref();
}
