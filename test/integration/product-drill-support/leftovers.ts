/** What a drill must not leave: scratch places, folders for sockets and keys, servers. */
import { readdir, readFile, readlink } from 'node:fs/promises';
import { join } from 'node:path';
import type { Product, ProductOptions } from '../../support/product.ts';

/** Environment of a worker whose temporary files are all in its own home, where they can be told from those of others. */
export const OWN_TEMPORARY_FILES: NonNullable<ProductOptions['env']> = (base) => ({ TMPDIR: base['LIFEBOAT_HOME']! });

/** Everything that the drills of such a product have left on this machine, as sentences; empty when there is nothing. */
export async function leftovers(product: Product): Promise<string[]> {
  const home = product.env['LIFEBOAT_HOME']!;
  const temporary = (await readdir(home)).filter((name) => name.startsWith('lifeboat-'));
  return [
    ...temporary.map((name) => join(home, name)),
    ...(await scratchPlaces(product)),
    ...(await processesIn(home)),
  ];
}

/** Marks and folders of scratch places. */
export async function scratchPlaces(product: Product): Promise<string[]> {
  const parent = join(product.env['LIFEBOAT_HOME']!, 'restoring');
  const names: string[] = await readdir(parent).catch(() => []);
  return names.toSorted().map((name) => join(parent, name));
}

/** Servers and programs that were told a place in the home: the worker itself is told none. */
async function processesIn(home: string): Promise<string[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const found: string[] = [];
  for (const pid of pids) {
    const line = (await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')).replaceAll('\0', ' ');
    const folder = await readlink(`/proc/${pid}/cwd`).catch(() => '');
    if (line.includes(`${home}/restoring`) || folder.startsWith(`${home}/`)) found.push(`process ${pid}: ${line}`);
  }
  return found;
}
