import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { PROJECT_DIR } from '../../../src/embedded/places.ts';
import { inheritedEnvironment } from '../../../src/platform/environment.ts';
import { compileCache } from './compile-cache.ts';

export interface CliResult {
  readonly exit: number | null;
  /** The one object on stdout; empty where there was none. */
  readonly json: Record<string, any>; // oxlint-disable-line typescript/no-explicit-any
  readonly stdout: string;
  readonly stderr: string;
}

export interface CliRun {
  readonly args: readonly string[];
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  /** Default: our own command line with --json. */
  readonly command?: readonly [string, ...string[]];
  /** Default 100 s: no test waits longer for one command. */
  readonly timeoutMs?: number;
  /** Runs under this account; ours without it. */
  readonly account?: { readonly uid: number; readonly gid: number } | undefined;
}

export const TIMEOUT_MS = 100_000;

/** Runs one command line in a small environment. A run that hangs is killed: `exit` is null then. */
export async function runCli(run: CliRun): Promise<CliResult> {
  const { args, cwd, env, command, timeoutMs = TIMEOUT_MS, account } = run;
  const own = [process.execPath, join(PROJECT_DIR, 'src/cli/main.ts')] as const;
  const [program, ...before] = command ?? own;
  const after = command === undefined ? ['--json'] : [];
  const child = spawn(program, [...before, ...args, ...after], {
    cwd,
    env: { ...inheritedEnvironment(), ...compileCache(account), ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: timeoutMs,
    killSignal: 'SIGKILL',
    ...(account && { uid: account.uid, gid: account.gid }),
  });
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString('utf8')));
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString('utf8')));
  const exit = await new Promise<number | null>((resolve, reject) =>
    child.once('error', reject).once('close', resolve),
  );
  return resultOf(exit, stdout, stderr);
}

export function resultOf(exit: number | null, stdout: string, stderr: string): CliResult {
  return { exit, json: lastObject(stdout), stdout, stderr };
}

/** npm prints lines of its own in front. */
function lastObject(stdout: string): Record<string, unknown> {
  const start = stdout.search(/^\{/m);
  if (start < 0) return {};
  try {
    return JSON.parse(stdout.slice(start)) as Record<string, unknown>;
  } catch {
    // Not JSON: the tests that ask for JSON fail on what is missing, with stdout beside it.
    return {};
  }
}
