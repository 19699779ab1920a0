import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { LifeboatError } from '../domain/errors.ts';
import { runChild } from '../platform/child-process.ts';

const SOURCES = ['workflows', 'contract', 'domain'].map((folder) =>
  fileURLToPath(new URL(`../${folder}/`, import.meta.url)),
);
const BUILDER = fileURLToPath(new URL('build-bundle.ts', import.meta.url));
/** It takes five seconds; a machine that is busy with much else takes a minute. */
const BUILD_LIMIT_MS = 300_000;
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
    await build(codePath);
  }
  return { codePath };
}

async function build(codePath: string): Promise<void> {
  const { exit } = await runChild({
    name: 'build-bundle',
    command: process.execPath,
    args: [BUILDER, codePath],
    env: {},
    signal: AbortSignal.timeout(BUILD_LIMIT_MS),
  });
  if (exit.code === 0) return;
  throw new LifeboatError('INTERNAL', `bundle the workflows: exit ${exit.code}: ${exit.stderrTail}`);
}

async function digestSources(): Promise<string> {
  const hash = createHash('sha256').update(await readFile(LOCKFILE));
  for (const folder of SOURCES) {
    const names = (await readdir(folder, { recursive: true })).filter((name) => name.endsWith('.ts')).toSorted();
    for (const name of names) hash.update(name).update(await readFile(join(folder, name)));
  }
  return hash.digest('hex').slice(0, 16);
}
