import pc from 'picocolors';
import type { LifeboatError } from '../domain/errors.ts';
import type { Environment } from '../config/environment.ts';

/** What output needs of a stream. */
export interface TextStream {
  write(text: string): unknown;
  readonly isTTY?: boolean;
}

export type Colors = ReturnType<typeof pc.createColors>;

/** stdout carries the result and nothing else; everything else goes to stderr. */
export interface Output {
  readonly colors: Colors;
  /** The answer, on stdout: text for people. */
  text(text: string): void;
  /** The answer, on stdout: exactly one JSON object. */
  json(value: Readonly<Record<string, unknown>>): void;
  /** Something to know, on stderr. */
  note(text: string): void;
  /** Something to change, on stderr. */
  warn(text: string): void;
  /** An error in full, on stderr. */
  error(error: LifeboatError): void;
  /** Columns under headings, fit for `text`. */
  table(headings: readonly string[], rows: readonly (readonly string[])[]): Promise<string>;
}

export interface OutputOptions {
  readonly stdout: TextStream;
  readonly stderr: TextStream;
  readonly env: Environment;
  readonly quiet: boolean;
}

export function createOutput({ stdout, stderr, env, quiet }: OutputOptions): Output {
  const colors = pc.createColors(useColor(env, stdout.isTTY === true));
  const marks = pc.createColors(useColor(env, stderr.isTTY === true));
  return {
    colors,
    text: (text) => void stdout.write(text === '' ? '' : `${text}\n`),
    json: (value) => void stdout.write(`${JSON.stringify(value)}\n`),
    note: (text) => void (quiet || stderr.write(`${text}\n`)),
    warn: (text) => void stderr.write(`${marks.yellow('warning:')} ${text}\n`),
    error: (error) => void stderr.write(describeError(error, marks)),
    table: async (headings, rows) =>
      renderTable(
        headings.map((heading) => colors.dim(heading)),
        rows,
      ),
  };
}

/** NO_COLOR (any value but empty) and TERM=dumb turn colour off, FORCE_COLOR turns it on where there is no terminal. */
export function useColor(env: Environment, isTerminal: boolean): boolean {
  if (env['NO_COLOR'] !== undefined && env['NO_COLOR'] !== '') return false;
  if (env['FORCE_COLOR'] !== undefined && env['FORCE_COLOR'] !== '0') return true;
  return isTerminal && env['TERM'] !== 'dumb';
}

/** The `error` of the JSON contract. */
export function errorJson(error: LifeboatError): Readonly<Record<string, unknown>> {
  const { code, message, hint, details, rule } = error;
  return { code, message, hint, retry: rule.retry, details };
}

function describeError(error: LifeboatError, colors: Colors): string {
  const problems = error.details['problems'];
  const lines = Array.isArray(problems) && problems.length > 1 ? problems.map((problem) => `  - ${problem}`) : [];
  const message = lines.length > 0 ? `${error.message.split(':')[0]}: ${lines.length} problems` : error.message;
  return [
    `${colors.red('error:')} ${message}`,
    ...lines,
    `  ${colors.dim('hint:')} ${error.hint}`,
    `  ${colors.dim('code:')} ${error.code}`,
    '',
  ].join('\n');
}

async function renderTable(headings: readonly string[], rows: readonly (readonly string[])[]): Promise<string> {
  const { default: Table } = await import('cli-table3');
  const none = {
    top: '',
    'top-mid': '',
    'top-left': '',
    'top-right': '',
    bottom: '',
    'bottom-mid': '',
    'bottom-left': '',
    'bottom-right': '',
    left: '',
    'left-mid': '',
    mid: '',
    'mid-mid': '',
    right: '',
    'right-mid': '',
    middle: '  ',
  };
  const table = new Table({
    head: [...headings],
    chars: none,
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': 0 },
  });
  table.push(...rows.map((row) => [...row]));
  return table
    .toString()
    .split('\n')
    .map((line) => line.trimEnd())
    .join('\n');
}
