import { mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { LifeboatError } from '../domain/errors.ts';
import { withLock } from '../platform/lock.ts';
import { PINNED, python, requirePip, requirePython } from './pip.ts';
import { exists, type ProvisionOptions, refuseUnknownMachine, settleOwnership } from './provision.ts';

const MOTO = { package: 'moto', version: '5.2.5', program: 'moto_server' } as const;
const REQUIREMENTS = join(import.meta.dirname, 'moto-requirements.txt');

/** A program in Python: `python -m moto.server` with PYTHONPATH=`folder`. */
export interface PythonProgram {
  readonly python: string;
  readonly folder: string;
}

/**
 * moto's server, which is AWS KMS on this machine, for tests. Its packages are pinned by digest, and installed into a folder of their own
 * on the first call; later ones need no network. @throws LifeboatError PROVISION_UNSUPPORTED, PROVISION_FAILED, TOOL_MISSING
 */
export async function provisionMoto(options: ProvisionOptions): Promise<PythonProgram> {
  const folder = join(options.toolsDir, `${MOTO.package}-${MOTO.version}`);
  const found = async (): Promise<boolean> => exists(join(folder, 'moto', 'server.py'));
  if (!(await found())) {
    if (!options.download) throw new LifeboatError('PROVISION_FAILED', `find moto: not in ${options.toolsDir}`);
    refuseUnknownMachine(MOTO);
    await mkdir(options.toolsDir, { recursive: true });
    await withLock(folder, async () => {
      if (!(await found())) await install(folder, options);
    });
  }
  return { python: requirePython(MOTO), folder };
}

async function install(folder: string, { toolsDir, signal, onPhase }: ProvisionOptions): Promise<void> {
  onPhase(`downloading ${MOTO.package} ${MOTO.version}`);
  await requirePip(MOTO, signal);
  const work = await mkdtemp(join(toolsDir, '.unpacking-'));
  try {
    const content = join(work, 'content');
    await python(
      ['-m', 'pip', 'install', ...PINNED, '--no-compile', '--target', content, '-r', REQUIREMENTS],
      MOTO,
      signal,
    );
    await settleOwnership(content);
    await rename(content, folder);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}
