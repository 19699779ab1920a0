import { join } from 'node:path';
import { LifeboatError } from '../domain/errors.ts';
import { runChild } from '../platform/child-process.ts';
import { downloadEnvironment } from '../platform/environment.ts';
import { findExecutable } from '../platform/executable.ts';
import { provideFolder, type ProvidedFolder, type ProvisionOptions } from './provide-folder.ts';

/** The digest covers the source and its go.sum, and that covers everything it is built from. */
const MODULE = {
  path: 'github.com/versity/versitygw',
  version: 'v1.8.0',
  sum: 'h1:au+wI+aybno/STsQiSm35Uu6Q6iK5MWReQxgO6SEMFc=',
} as const;
const PROGRAM = 'versitygw';

/**
 * versitygw, an S3 server over a folder, for tests: built with the Go of this machine, from source that is pinned by digest.
 * @throws LifeboatError TOOL_MISSING without Go, PROVISION_FAILED
 */
export async function provisionVersitygw(options: ProvisionOptions): Promise<string> {
  const { version } = MODULE;
  const wanted = { package: PROGRAM, version, proof: PROGRAM, make: (places: Places) => build(places, options) };
  return join(await provideFolder(wanted, options), PROGRAM);
}

type Places = Parameters<ProvidedFolder['make']>[0];

async function build({ work, content }: Places, { signal, onPhase }: ProvisionOptions): Promise<void> {
  const go = createGo(signal);
  onPhase(`building versitygw ${MODULE.version}, which takes a minute`);
  const answer: unknown = JSON.parse(await go(['mod', 'download', '-json', `${MODULE.path}@${MODULE.version}`], work));
  const source = requirePinned(answer);
  await go(['build', '-mod=readonly', '-trimpath', '-o', join(content, PROGRAM), './cmd/versitygw'], source);
}

function requirePinned(answer: unknown): string {
  const { Dir, Sum } = Object(answer) as { readonly Dir?: unknown; readonly Sum?: unknown };
  if (Sum === MODULE.sum && typeof Dir === 'string') return Dir;
  throw new LifeboatError('PROVISION_FAILED', `provide versitygw: digest ${String(Sum)}, not ${MODULE.sum}`);
}

/** Runs Go in a folder and gives what it printed. */
function createGo(signal: AbortSignal): (args: readonly string[], cwd: string) => Promise<string> {
  const env = downloadEnvironment();
  const command = findExecutable('go', env['PATH']);
  if (command === undefined) {
    throw new LifeboatError('TOOL_MISSING', 'provide versitygw: go is not on PATH', {
      hint: 'only a test needs it: install Go, or do without that test',
    });
  }
  return async (args, cwd) => {
    const { exit, stdout } = await runChild({ name: 'go', command, args, env, cwd, signal });
    if (exit.code === 0) return stdout;
    throw new LifeboatError('PROVISION_FAILED', `provide versitygw: go ${args[0]}: ${exit.stderrTail.trim()}`);
  };
}
