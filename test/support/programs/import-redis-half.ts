/** Starts a restore whose snapshot stops coming half-way, says so and stays: for tests that kill -9 a restore. */
import { readFile } from 'node:fs/promises';
import { createRedis } from '../../../src/redis/create-redis.ts';
import type { RedisImport } from '../../../src/redis/redis.ts';

const [requestPath = '', snapshotPath = ''] = process.argv.slice(2);
const request: RedisImport = JSON.parse(await readFile(requestPath, 'utf8'));
const bytes = await readFile(snapshotPath);
const end = Math.floor(bytes.length / 2);

async function* half(): AsyncGenerator<Uint8Array, void, undefined> {
  for (let at = 0; at < end; at += 10_000) yield bytes.subarray(at, Math.min(at + 10_000, end));
  // The walk holds one piece back; by the time this line is read, the target has all but that.
  process.stdout.write('half\n');
  await new Promise(() => setInterval(() => undefined, 60_000));
}

await createRedis().importSnapshot(request, {
  open: half,
  operation: { signal: new AbortController().signal, onProgress: () => undefined },
});
