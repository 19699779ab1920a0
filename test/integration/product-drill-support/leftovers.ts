/** What a drill must not leave: scratch places, folders for sockets, servers. */
import { readdir, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { loadConfig } from '../../../src/config/load-config.ts';
import { stateDirOf } from '../../../src/assembly/state-dir.ts';
import { serverPlace } from '../../../src/embedded/places.ts';
import type { Product } from '../../support/product.ts';

/** Everything that the drills of a product could have left on this machine, as sentences; empty when there is nothing. */
export async function leftovers(product: Product): Promise<string[]> {
  const parent = await scratchParent(product);
  const names = await readdir(parent).catch(() => []);
  return [
    ...names.filter((name) => name.startsWith('drill-')).map((name) => `${parent}/${name}`),
    ...(await serversBelow(parent)),
    ...(await socketFoldersOf(names)),
  ];
}

/** As the worker finds it. */
export async function scratchParent(product: Product): Promise<string> {
  const { config } = loadConfig({ env: product.env, cwd: product.folder });
  const { folder } = await serverPlace(stateDirOf(config));
  return `${folder}/restoring`;
}

/** Processes whose working directory is below a folder, also where it was removed under them. */
async function serversBelow(parent: string): Promise<string[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const found: string[] = [];
  for (const pid of pids) {
    const line = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
    if (line.includes(`${parent}/drill-`)) found.push(`process ${pid}: ${line.replaceAll('\0', ' ')}`);
  }
  return found;
}

/** Named as the mark is, which is beside the scratch place. */
async function socketFoldersOf(marks: readonly string[]): Promise<string[]> {
  const ours = marks.map((name) => /^drill-([0-9a-f]{16})/.exec(name)?.[1]).filter((name) => name !== undefined);
  const there = await readdir(tmpdir());
  return there
    .filter((name) => ours.some((mark) => name === `lifeboat-drill-${mark}`))
    .map((name) => `${tmpdir()}/${name}`);
}
