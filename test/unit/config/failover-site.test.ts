import { openFailoverSite } from '../../../src/assembly/failover-site.ts';
import { configSchema } from '../../../src/config/schema/config.ts';
import { createSecret } from '../../../src/domain/secret.ts';
import { caught } from '../../support/caught.ts';

const secret = (text: string): unknown => createSecret(text, '***');
const postgres = (host: string): object => ({
  url: secret(`postgres://dr:s3cret@${host}:5433/auth`),
  host: ['ssh', host],
});
const redis = (host: string): object => ({ url: secret(`redis://${host}:6380`) });
const stores = { witness: { url: 'memory:' } };
const both = { a: { postgres: postgres('a'), redis: redis('a') }, b: { postgres: postgres('b'), redis: redis('b') } };

test('both regions are read, with defaults for what is left out', () => {
  const config = configSchema.parse({
    group: 'auth',
    stores,
    redis: { password: secret('word') },
    failover: { authority: 'witness', regions: both, maxLag: '1MiB', minFree: '3GiB' },
  });
  const site = openFailoverSite(config);
  expect(site).toMatchObject({
    regions: ['a', 'b'],
    services: { postgres: 'auth-postgres', redis: 'auth-redis' },
    limits: { maxLagBytes: 1_048_576, maxSilentSeconds: 35, minFreeBytes: 3_221_225_472 },
    timeoutMs: 60_000,
  });
  expect(site?.postgres.get('b')).toEqual({
    name: 'b',
    target: { host: 'b', port: 5433, user: 'dr', password: 's3cret', database: 'auth', ssl: { mode: 'prefer' } },
    host: { command: ['ssh', 'b'], timeoutMs: 120_000 },
  });
  expect(site?.redis.get('a')).toEqual({ name: 'a', target: { host: 'a', port: 6380, password: 'word' } });
});

test('without regions there is none', () => {
  expect(openFailoverSite(configSchema.parse({}))).toBeNull();
});

test('an authority that is no store is named', async () => {
  const config = configSchema.parse({ stores, failover: { authority: 'witnes', regions: both } });
  const { code, hint } = await caught(() => openFailoverSite(config));
  expect({ code, hint }).toEqual({ code: 'STORE_UNKNOWN', hint: 'did you mean witness?' });
});

test.each([
  ['one region', { a: both.a }, 'expected two regions'],
  ['three regions', { ...both, c: both.a }, 'expected two regions'],
  ['regions without servers', { a: {}, b: {} }, 'expected postgres or redis in each region'],
  ['regions with different servers', { a: both.a, b: { redis: redis('b') } }, 'expected the same in both regions'],
])('%s are refused', (_name, regions, message) => {
  const { error } = configSchema.safeParse({ stores, failover: { authority: 'witness', regions } });
  expect(error?.issues.map((issue) => issue.message)).toContain(message);
});

test('regions without an authority are refused', () => {
  const { error } = configSchema.safeParse({ failover: { regions: both } });
  expect(error?.issues.map((issue) => issue.message)).toEqual(['expected authority beside regions']);
});
