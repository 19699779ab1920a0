import { agentAddress, isAgentAddress } from '../../../src/redis/agent/address.ts';
import { canLoad, rdbReaderOf, stampFor, unreadableTypes } from '../../../src/redis/rdb/versions.ts';
import { parseInfo } from '../../../src/redis/server-view.ts';

test.each([
  ['127.0.0.1', '0x7f000001'],
  ['::ffff:10.1.2.3', '0x0a010203'],
  ['::1', '0000:0000:0000:0000:0000:0000:0000:0001'],
  ['fe80::ab%eth0', 'FE80:0000:0000:0000:0000:0000:0000:00AB'],
  ['2001:db8:0:0:1:2:3:4', '2001:0DB8:0000:0000:0001:0002:0003:0004'],
])('the agent gives %s out as %s, and knows it again', async (address, given) => {
  expect(await agentAddress(address)).toBe(given);
  expect(isAgentAddress(given)).toBe(true);
});

test.each(['127.0.0.1', 'redis-0.redis', 'localhost', '::1', '2001:db8::1', '0x7f'])(
  'a master at %s was set up by somebody else',
  (host) => expect(isAgentAddress(host)).toBe(false),
);

test.each([
  ['redis', '6.2.5', 9],
  ['redis', '7.0.15', 10],
  ['redis', '7.2.0', 11],
  ['redis', '7.4.1', 12],
  ['redis', '8.0.6', 12],
  ['valkey', '8.0.1', 11],
  ['valkey', '9.1.2', 80],
] as const)('%s %s writes rdb version %i', (product, version, rdb) => {
  expect(rdbReaderOf(product, version)).toEqual({ product, version: rdb });
});

test('a server that does not tell its version is not judged', () => {
  expect(rdbReaderOf('redis', '')).toBeUndefined();
});

test.each([
  [{ product: 'redis', version: 10 }, 9, true, 9],
  [{ product: 'redis', version: 10 }, 10, true, 10],
  [{ product: 'redis', version: 10 }, 12, false, 10],
  [{ product: 'redis', version: 12 }, 80, false, 12],
  [{ product: 'valkey', version: 11 }, 12, false, 11],
  [{ product: 'valkey', version: 80 }, 12, false, 11],
  [{ product: 'valkey', version: 80 }, 11, true, 11],
  [{ product: 'valkey', version: 80 }, 80, true, 80],
] as const)('%j and a file of rdb %i: loads %s, stamp %i', (reader, file, loads, stamp) => {
  expect(canLoad(reader, file)).toBe(loads);
  expect(stampFor(reader, file)).toBe(stamp);
});

test('types that came after the server are named before anything is dropped', () => {
  expect(unreadableTypes({ product: 'redis', version: 10 }, [0, 16, 19, 20, 21, 24])).toEqual([20, 21, 24]);
  expect(unreadableTypes({ product: 'redis', version: 9 }, [0, 14, 15, 16])).toEqual([16]);
  expect(unreadableTypes({ product: 'valkey', version: 80 }, [21, 25])).toEqual([25]);
});

test('INFO is read whatever its line ends, values may hold colons', () => {
  const info = parseInfo(
    '# Server\r\nredis_version:7.0.15\r\nexecutable:/a:b\r\n\r\n# Keyspace\ndb0:keys=1,expires=0\n',
  );
  expect([...info]).toEqual([
    ['redis_version', '7.0.15'],
    ['executable', '/a:b'],
    ['db0', 'keys=1,expires=0'],
  ]);
});
