import { LifeboatError, toLifeboatError } from '../../domain/errors.ts';

/** One line of `config validate`. A skip says why and never counts as a pass. */
export interface ConfigCheck {
  readonly name: string;
  readonly status: 'pass' | 'fail' | 'skip';
  /** What was found, or what is wrong. */
  readonly message: string;
  /** What to do about a failure; empty for a pass. */
  readonly hint: string;
  /** Exit code that this failure asks for; 0 where nothing failed. */
  readonly exit: number;
}

export function pass(name: string, message: string): ConfigCheck {
  return { name, status: 'pass', message, hint: '', exit: 0 };
}

export function skip(name: string, message: string, hint = ''): ConfigCheck {
  return { name, status: 'skip', message, hint, exit: 0 };
}

export function fail(name: string, error: unknown): ConfigCheck {
  const { message, hint, rule } = toLifeboatError(error);
  return { name, status: 'fail', message, hint, exit: rule.exit };
}

/** A check that passes with what `work` tells and fails with what it throws. */
export async function attempt(name: string, work: () => Promise<string> | string): Promise<ConfigCheck> {
  try {
    return pass(name, await work());
  } catch (error) {
    return fail(name, error);
  }
}

/** The error of a finished validation: CONFIG_UNREACHABLE where servers that do not answer are all there is. */
export function verdict(checks: readonly ConfigCheck[]): LifeboatError | undefined {
  const failed = checks.filter((check) => check.status === 'fail');
  if (failed.length === 0) return undefined;
  const names = failed.map((check) => check.name);
  const code = failed.every((check) => check.exit === UNREACHABLE_EXIT) ? 'CONFIG_UNREACHABLE' : 'CONFIG_NOT_USABLE';
  return new LifeboatError(
    code,
    `validate configuration: ${failed.length} of ${checks.length} checks failed: ${names.join(', ')}`,
    {
      details: { failed: names },
    },
  );
}

const UNREACHABLE_EXIT = 7;
