/**
 * Goal: a value of many megabytes is restored key by key, and proved, in the memory of a few pieces of it.
 * Method: real servers of both versions, one string that compresses and one that does not; the memory of buffers is sampled
 * from the progress of the restore itself.
 */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { put, take } from '../support/redis-snapshots.ts';
import { startRedis, type TestRedis } from '../support/servers.ts';
import { whenAvailable } from '../support/tools.ts';

const describeBoth = await whenAvailable('redis 7', 'redis 6.2');
const started: TestRedis[] = [];
const MIB = 1024 * 1024;
const VALUE_MIB = 24;
/** Garbage is collected for one sample in so many: it takes longer than the restore. */
const SAMPLED = 150;

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

/** Builds a string of so many MiB: of hex digits, which LZF packs a little, or of a compressed stream's kind of bytes. */
const FILL = `for mib = 1, tonumber(ARGV[1]) do
  local part = {}
  for n = 1, 26214 do part[n] = redis.sha1hex(mib * 100000 + n) end
  local text = table.concat(part) .. string.rep('=', 16)
  if ARGV[2] == 'bytes' then
    text = string.gsub(text, '%x%x', function(pair) return string.char(tonumber(pair, 16)) end)
    text = text .. text
  end
  redis.call('APPEND', 'large:' .. ARGV[2], string.sub(text, 1, 1048576))
end`;
const HASH = "return redis.sha1hex(redis.call('GET', ARGV[1]))";

afterEach(async () => {
  await Promise.all(started.splice(0).map(async (server) => await server.stop()));
});

async function start(version: '7' | '6.2'): Promise<TestRedis> {
  const server = await startRedis({ version, args: ['--repl-diskless-sync-delay', '0'] });
  started.push(server);
  return server;
}

describeBoth('a large value', () => {
  test.each([
    ['7', 'replication', 'text'],
    ['7', 'dump', 'text'],
    ['6.2', 'replication', 'bytes'],
    ['6.2', 'dump', 'bytes'],
  ] as const)(
    'of a Redis %s copied by %s, %s, passes in pieces',
    async (version, method, kind) => {
      const [source, target] = [await start(version), await start(version)];
      await source.cli('eval', FILL, '0', String(VALUE_MIB), kind);
      await source.cli('set', 'small', 'one');
      const snapshot = await take(source.target, method);
      collectGarbage();
      const before = process.memoryUsage().arrayBuffers;
      let [peak, samples] = [0, 0];
      const onProgress = (): void => {
        samples += 1;
        if (samples % SAMPLED !== 0) return;
        collectGarbage();
        peak = Math.max(peak, process.memoryUsage().arrayBuffers - before);
      };
      const operation = { signal: new AbortController().signal, onProgress };
      const { checks } = await put(snapshot, target.target, { method: 'restore' }, operation);
      expect(checks.filter(({ status }) => status !== 'pass')).toEqual([]);
      expect(samples).toBeGreaterThan(2 * SAMPLED);
      expect(peak).toBeLessThan((VALUE_MIB / 2) * MIB);
      const hash = await source.cli('eval', HASH, '0', `large:${kind}`);
      expect(await target.cli('eval', HASH, '0', `large:${kind}`)).toBe(hash);
      expect(await target.cli('strlen', `large:${kind}`)).toMatch(/^[1-9]\d{7}$/);
    },
    120_000,
  );
});
