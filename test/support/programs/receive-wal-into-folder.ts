/**
 * Receives WAL into a folder until it is killed: an object is one file, named by what it holds, and confirmed once it is there.
 * A new one goes on from what the folder holds. Arguments: a JSON object {target, folder, slot, systemIdentifier, from}.
 */
import { readdir, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { compareLsn } from '../../../src/domain/lsn.ts';
import { createWal } from '../../../src/postgres/wal/create-wal.ts';

const { target, folder, slot, systemIdentifier, from } = JSON.parse(process.argv[2] ?? '');
const stored = (await readdir(folder))
  .filter((name) => !name.endsWith('.tmp'))
  .map((name) => name.replaceAll('_', '/'));
const lsn =
  stored
    .map((name) => name.split(' ')[3] ?? '')
    .toSorted(compareLsn)
    .at(-1) ?? from;
const reception = createWal().receive(
  { target, slot, from: { timeline: 1, lsn }, flushMs: 100, expect: { systemIdentifier } },
  { signal: new AbortController().signal, onProgress: () => undefined },
);
for await (const event of reception) {
  if (event.event !== 'piece') continue;
  const { segment, timeline, from, to } = event;
  const name = [segment ? 'segment' : 'piece', timeline, from, to].join(' ').replaceAll('/', '_');
  await writeFile(join(folder, `${name}.tmp`), event.bytes);
  await rename(join(folder, `${name}.tmp`), join(folder, name));
  reception.confirm(to);
}
