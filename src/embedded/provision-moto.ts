import { join } from 'node:path';
import { PINNED, python, requirePip, requirePython } from './pip.ts';
import { provideFolder, type ProvisionOptions } from './provide-folder.ts';
import { refuseUnknownMachine, settleOwnership } from './provision.ts';

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
  const wanted = {
    ...MOTO,
    proof: join('moto', 'server.py'),
    refuse: () => refuseUnknownMachine(MOTO),
    make: async ({ content }: { readonly content: string }) => install(content, options),
  };
  const folder = await provideFolder(wanted, options);
  return { python: requirePython(MOTO), folder };
}

async function install(content: string, { signal, onPhase }: ProvisionOptions): Promise<void> {
  onPhase(`downloading ${MOTO.package} ${MOTO.version}`);
  await requirePip(MOTO, signal);
  const from = [...PINNED, '--no-compile', '--target', content, '-r', REQUIREMENTS];
  await python(['-m', 'pip', 'install', ...from], MOTO, signal);
  await settleOwnership(content);
}
