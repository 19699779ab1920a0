import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Operation } from '../domain/operation.ts';
import { syncFile, syncFolder } from './files.ts';

/** fsync of every file and folder in a folder, and of the folder itself; links are not followed. Progress is the number of files. */
export async function syncTree(folder: string, operation: Operation): Promise<void> {
  let items = 0;
  for await (const path of filesIn(folder)) {
    operation.signal.throwIfAborted();
    await syncFile(path);
    items += 1;
    operation.onProgress({ phase: 'writing to disk', bytes: 0, items });
  }
}

/** Files, each folder's before the folder itself is synced: a folder names what is durable. */
async function* filesIn(folder: string): AsyncGenerator<string, void, undefined> {
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) yield* filesIn(path);
    else if (entry.isFile()) yield path;
  }
  await syncFolder(folder);
}
