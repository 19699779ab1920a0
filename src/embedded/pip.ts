import { basename } from 'node:path';
import { LifeboatError } from '../domain/errors.ts';
import { runChild } from '../platform/child-process.ts';
import { downloadEnvironment } from '../platform/environment.ts';
import { findExecutable } from '../platform/executable.ts';

/** What is provided, for messages. */
export interface Provided {
  readonly package: string;
  readonly version: string;
  /** The program that somebody could install instead. */
  readonly program: string;
}

/** Exactly the files whose digests are named, and nothing that has to be built. */
export const PINNED = [
  '--quiet',
  '--no-input',
  '--disable-pip-version-check',
  '--no-deps',
  '--only-binary=:all:',
  '--require-hashes',
] as const;

/** @throws LifeboatError TOOL_MISSING */
export async function requirePip(provided: Provided, signal: AbortSignal): Promise<void> {
  const { exit } = await runChild({
    name: 'python3',
    command: requirePython(provided),
    args: ['-c', 'import pip'],
    signal,
  });
  if (exit.code === 0) return;
  throw new LifeboatError('TOOL_MISSING', `provide ${provided.package}: python3 has no pip`, {
    hint: `install it (Debian: apt-get install python3-pip), or put ${basename(provided.program)} on PATH`,
  });
}

/** @throws LifeboatError TOOL_MISSING */
export function requirePython(provided: Provided): string {
  const command = findExecutable('python3', downloadEnvironment()['PATH']);
  if (command !== undefined) return command;
  throw new LifeboatError('TOOL_MISSING', `provide ${provided.package}: python3 is not on PATH`, {
    hint: `install python3 with pip (Debian: apt-get install python3-pip), or put ${basename(provided.program)} on PATH`,
  });
}

/** Runs Python to its end. @throws LifeboatError PROVISION_FAILED with its last error */
export async function python(args: readonly string[], provided: Provided, signal: AbortSignal): Promise<void> {
  const env = downloadEnvironment();
  const { exit } = await runChild({ name: 'python3', command: requirePython(provided), args, env, signal });
  if (exit.code === 0) return;
  const lastLine = exit.stderrTail.split('\n').findLast((line) => line.includes('ERROR')) ?? exit.stderrTail;
  throw new LifeboatError('PROVISION_FAILED', `provide ${provided.package} ${provided.version}: ${lastLine.trim()}`);
}
