import { mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { LifeboatError } from '../domain/errors.ts';
import { runChild } from '../platform/child-process.ts';
import { downloadEnvironment } from '../platform/environment.ts';
import { findExecutable } from '../platform/executable.ts';
import { withLock } from '../platform/lock.ts';
import { exists, type ProvisionOptions } from './provision.ts';

/** The digest covers the source and its go.sum, and that covers everything it is built from. */
const MODULE = {
  path: 'github.com/versity/versitygw',
  version: 'v1.8.0',
  sum: 'h1:au+wI+aybno/STsQiSm35Uu6Q6iK5MWReQxgO6SEMFc=',
} as const;

/**
 * versitygw, an S3 server over a folder, for tests: built with the Go of this machine, from source that is pinned by digest.
 * @throws LifeboatError TOOL_MISSING without Go, PROVISION_FAILED
 */
export async function provisionVersitygw(options: ProvisionOptions): Promise<string> {
  const folder = join(options.toolsDir, `versitygw-${MODULE.version}`);
  const program = join(folder, 'versitygw');
  if (await exists(program)) return program;
  if (!options.download) throw new LifeboatError('PROVISION_FAILED', `find versitygw: not in ${options.toolsDir}`);
  await mkdir(options.toolsDir, { recursive: true });
  await withLock(folder, async () => {
    if (!(await exists(program))) await build(folder, options);
  });
  return program;
}

async function build(folder: string, { toolsDir, signal, onPhase }: ProvisionOptions): Promise<void> {
  const go = createGo(signal);
  onPhase(`building versitygw ${MODULE.version}, which takes a minute`);
  const work = await mkdtemp(join(toolsDir, '.building-'));
  try {
    const answer: unknown = JSON.parse(
      await go(['mod', 'download', '-json', `${MODULE.path}@${MODULE.version}`], work),
    );
    const source = requirePinned(answer);
    const content = join(work, 'content');
    await go(['build', '-mod=readonly', '-trimpath', '-o', join(content, 'versitygw'), './cmd/versitygw'], source);
    await rename(content, folder);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
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
