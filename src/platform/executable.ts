import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { LifeboatError } from '../domain/errors.ts';

/**
 * The path of a program: `command` itself where it has a slash, else the first match on `path` (PATH syntax).
 * Undefined when there is none. Synchronous, because starting a process is.
 */
export function findExecutable(command: string, path: string | undefined): string | undefined {
  if (command.includes('/')) return isExecutable(command) ? command : undefined;
  return (path ?? '')
    .split(delimiter)
    .map((folder) => join(folder === '' ? '.' : folder, command))
    .find(isExecutable);
}

/** As findExecutable, but throws TOOL_MISSING. `name` is the program as people know it. */
export function requireExecutable(name: string, command: string, path: string | undefined): string {
  const found = findExecutable(command, path);
  if (found !== undefined) return found;
  throw new LifeboatError('TOOL_MISSING', `start ${name}: ${command}: no such program`, { details: { command } });
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return statSync(file).isFile();
  } catch {
    // Absent and forbidden are the same answer here: this candidate cannot be run.
    return false;
  }
}
