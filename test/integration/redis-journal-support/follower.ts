/** A process that records a stream into a file and can be killed: `follower.ts <port> <folder> [until]`. */
import { open, readFile, rename, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createRedisJournal } from '../../../src/redis/journal/create-redis-journal.ts';
import type { StreamPosition } from '../../../src/redis/journal/journal.ts';

interface Stored extends StreamPosition {
  /** Offset of the first byte of the file. */
  readonly from: number;
  /** Snapshots taken. */
  readonly starts: number;
}

const [port = '', folder = '', until] = process.argv.slice(2);
const place = join(folder, 'position');
let stored = await readFile(place, 'utf8').then(
  (text) => JSON.parse(text) as Stored,
  () => undefined,
);
const file = await open(join(folder, 'stream'), stored === undefined ? 'w' : 'r+');
// What was written after the last commit is not there for a journal.
if (stored !== undefined) await file.truncate(stored.offset - stored.from);

async function commit(position: Stored): Promise<void> {
  await file.datasync();
  await writeFile(`${place}.new`, JSON.stringify(position));
  await rename(`${place}.new`, place);
  stored = position;
  reception.confirm(position.offset);
}

const reception = createRedisJournal().follow(
  {
    target: { host: '127.0.0.1', port: Number(port) },
    resume: stored ?? null,
    flushMs: 40,
    spill: { directory: tmpdir(), maxBytes: 64 * 1024 ** 2 },
    ...(until === undefined ? {} : { until: Number(until) }),
  },
  {
    operation: { signal: new AbortController().signal, onProgress: () => undefined },
    sink: async (_artifact, source) => {
      for await (const _ of source);
    },
  },
);
for await (const event of reception) {
  if (event.event === 'resynced') {
    const { replid, offset } = event.facts;
    const state = { database: 0, insideMulti: false, unfinishedBytes: 0 };
    await commit({ replid, offset, state, from: offset, starts: (stored?.starts ?? 0) + 1 });
  } else if (event.event === 'chunk') {
    await file.write(event.bytes, 0, event.bytes.length, event.from - stored!.from);
    await commit({ ...stored!, offset: event.to, state: event.state });
  }
}
await file.close();
