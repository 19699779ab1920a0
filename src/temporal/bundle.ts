import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bundleWorkflowCode } from '@temporalio/worker';
import { writeFileAtomic } from '../platform/files.ts';

const SOURCES = ['workflows', 'contract', 'domain'].map((folder) =>
  fileURLToPath(new URL(`../${folder}/`, import.meta.url)),
);
const ENTRY = fileURLToPath(new URL('../workflows/index.ts', import.meta.url));
const LOCKFILE = fileURLToPath(new URL('../../package-lock.json', import.meta.url));

/**
 * The workflows as one file, built once for a state of the sources and the lockfile and kept in `cacheDir`, so that a
 * worker is up in a second and every worker of one version runs the same code.
 * @returns path of the bundle
 */
export async function workflowBundle(cacheDir: string): Promise<{ codePath: string }> {
  const codePath = join(cacheDir, `workflows-${await digestSources()}.js`);
  if (!existsSync(codePath)) {
    await mkdir(cacheDir, { recursive: true, mode: 0o700 });
    const { code } = await bundleWorkflowCode({ workflowsPath: ENTRY, logger: QUIET });
    await writeFileAtomic(codePath, code);
  }
  return { codePath };
}

async function digestSources(): Promise<string> {
  const hash = createHash('sha256').update(await readFile(LOCKFILE));
  for (const folder of SOURCES) {
    const names = (await readdir(folder, { recursive: true })).filter((name) => name.endsWith('.ts')).toSorted();
    for (const name of names) hash.update(name).update(await readFile(join(folder, name)));
  }
  return hash.digest('hex').slice(0, 16);
}

const ignore = (): void => {};
/** The bundler reports each step; only what it throws matters. */
const QUIET = { log: ignore, trace: ignore, debug: ignore, info: ignore, warn: ignore, error: ignore };
