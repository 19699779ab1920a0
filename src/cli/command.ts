import type { LoadedConfig } from '../config/load-config.ts';
import type { Environment } from '../config/environment.ts';
import type { LifeboatError } from '../domain/errors.ts';
import type { ExitCode } from './exit-codes.ts';
import type { Arguments, ArgumentValues, Options, OptionValues } from './options.ts';
import type { Output } from './output.ts';
import type { ProgressView } from './progress.ts';

/** What a command answers. With `--json` the object `json` is printed beside `ok`, else `text`. */
export interface CommandResult {
  /** Fields beside `ok`; cli.md's contract. Anything JSON can hold; Secrets print masked. */
  readonly json: Readonly<Record<string, unknown>>;
  /** For people. No line break at the end. Printed as it is, so it is made only when it is needed. */
  text(): string | Promise<string>;
  /** The command did its work, but found trouble: `ok` is false, the error is printed beside the answer. */
  readonly failure?: LifeboatError;
  /** Overrides the exit code of `failure`: 3 where only a part failed. */
  readonly exit?: ExitCode;
}

/** What every command is given. */
export interface CommandContext {
  /** Every command there is. */
  readonly commands: readonly Command[];
  readonly env: Environment;
  readonly cwd: string;
  /** `--json` or `--output json`: stdout belongs to the one object. */
  readonly json: boolean;
  /** A person can be asked: stdin and stderr are terminals, and `--json` is not on. */
  readonly interactive: boolean;
  readonly output: Output;
  readonly progress: ProgressView;
  /** Aborts on Ctrl-C and SIGTERM, with an INTERRUPTED error as its reason. A second Ctrl-C ends the program at once. */
  readonly signal: AbortSignal;
  /** Reads the configuration once; its warnings go to stderr. @throws LifeboatError CONFIG_* */
  config(): Promise<LoadedConfig>;
  /** Lines that an interrupt prints: how to follow or stop what goes on. The last call counts. */
  onInterrupt(lines: () => string): void;
}

/**
 * A command. Its file is imported for `--help`, so it imports only what is cheap; everything heavy (Temporal, drivers, zod) is
 * imported inside `run`.
 */
export interface Command<A extends Arguments = Arguments, O extends Options = Options> {
  /** Words as they are typed: `backup full`. */
  readonly name: string;
  /** One line for the list of commands; no full stop. */
  readonly summary: string;
  /** More for `--help`, in whole sentences. */
  readonly description?: string;
  readonly arguments: A;
  readonly options: O;
  /** Command lines without `lifeboat`, at least one. */
  readonly examples: readonly [string, ...string[]];
  /** Fields of the JSON answer beside `ok`, for docs/reference/cli.md: `backups[]`, `window {from, to, gaps[]}`. */
  readonly answers: readonly string[];
  /** Exit codes beside 0, 1 and 2. */
  readonly exits: readonly ExitCode[];
  /** The exit code of whatever goes wrong, for a caller that reads codes in a way of its own; also of a wrong command line. */
  readonly failureExit?: ExitCode;
  run(
    context: CommandContext,
    input: { readonly arguments: ArgumentValues<A>; readonly options: OptionValues<O> },
  ): Promise<CommandResult>;
}

/** Types `run` by the command's own arguments and options. */
export function defineCommand<const A extends Arguments, const O extends Options>(command: Command<A, O>): Command {
  return command;
}
