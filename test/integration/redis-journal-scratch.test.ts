/**
 * Goal: some keys of an earlier state come back into a live Redis, and nothing else there changes. Method: a scratch
 * server with that state, copies by pattern into another real server, and typed readings of both.
 */
import { copyKeys, type CopyKeys } from '../../src/redis/scratch/copy-keys.ts';
import { matchesGlob } from '../../src/redis/scratch/glob.ts';
import { fillServer, readServer, withClient } from '../support/redis-dataset.ts';
import { UNHURRIED } from '../support/redis-snapshots.ts';
import { startRedis, type TestRedis } from '../support/servers.ts';
import { type RedisVersion, whenAvailable } from '../support/tools.ts';

const describeBoth = await whenAvailable('redis 7', 'redis 6.2');

describeBoth('keys chosen by patterns', () => {
  const started: TestRedis[] = [];
  const start = async (version: RedisVersion): Promise<TestRedis> => {
    const server = await startRedis({ version });
    started.push(server);
    return server;
  };
  afterEach(async () => {
    await Promise.all(started.splice(0).map(async (server) => await server.stop()));
  });

  test.each(['7', '6.2'] as const)(
    'of a %s come with value and expiry, each once, and the rest stays',
    async (version) => {
      const from = await start(version);
      const to = await start(version);
      await fillServer(from);
      await withClient(to, async (client) => {
        await client.set('text', 'newer');
        await client.set('mine', 'kept');
      });
      const request: CopyKeys = {
        from: from.target,
        to: to.target,
        patterns: ['hash:*', 'text', '*:large', 'with expiry'],
        merge: 'skip',
      };
      const first = await copyKeys(request, UNHURRIED);
      expect(first).toMatchObject({ skipped: 1, expired: 0 });
      expect(await to.cli('GET', 'text')).toBe('newer');
      const all = await readServer(from);
      const chosen = Object.entries(all).filter(([name]) => name !== 'functions');
      expect(chosen.length).toBeGreaterThan(20);
      expect(await to.cli('OBJECT', 'ENCODING', 'hash:large')).toBe('hashtable');
      expect(Number(await to.cli('PTTL', 'hash:large'))).toBeGreaterThan(1e12);

      const again = await copyKeys({ ...request, merge: 'replace' }, UNHURRIED);
      expect(again.copied).toBe(first.copied + 1);
      expect(await to.cli('GET', 'text')).toBe('the quick brown fox');
      expect(await to.cli('GET', 'mine')).toBe('kept');
      const copied = await readServer(to);
      for (const [name, value] of Object.entries(copied)) {
        if (name !== 'functions' && !name.includes('mine')) expect(value).toEqual(all[name]);
      }
      const one = await copyKeys({ ...request, patterns: ['*'], databases: [3], merge: 'replace' }, UNHURRIED);
      expect(Object.keys(one.databases)).toEqual(['3']);
    },
  );

  test('are those that KEYS would name', async () => {
    const server = await start('7');
    const alphabet = ['a', 'b', '-', '*', '?', '[', ']', '\\', '^', 'ü', ''];
    const names = alphabet.flatMap((x) => alphabet.flatMap((y) => alphabet.map((z) => `${x}${y}${z}`)));
    const patterns = names
      .filter((_, index) => index % 7 === 0)
      .flatMap((name) => [name, `*${name}`, `${name}*`, `[${name}]`, `[^${name}]?`, `${name}\\*`])
      // A range up to a byte beyond ASCII means another thing on another processor.
      .filter((pattern) => !/\[.*-.*\]/.test(pattern) || !pattern.includes('ü'))
      .concat(['[a-b]*', '[b-a]', '*[', 'a**b', '[a', '[', '\\', '[\\]a]', '?*?', '*a*b', '']);
    await withClient(server, async (client) => {
      const keys = [...new Set(names)].filter((name) => name !== '');
      await client.mset(...keys.flatMap((name) => [name, '1']));
      const buffers = keys.map((name) => Buffer.from(name));
      for (const pattern of patterns) {
        const expected = (await client.keysBuffer(pattern)).map(String).toSorted();
        const glob = Buffer.from(pattern);
        const actual = buffers
          .filter((key) => matchesGlob(glob, key))
          .map(String)
          .toSorted();
        expect([pattern, actual]).toEqual([pattern, expected]);
      }
    });
  });
});
