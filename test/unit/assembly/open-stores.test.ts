import { openNamedStore, openPrimaryStore } from '../../../src/assembly/open-stores.ts';
import { loadConfig } from '../../../src/config/load-config.ts';
import type { Config } from '../../../src/config/schema/config.ts';
import { caught } from '../../support/caught.ts';

function configOf(values: Readonly<Record<string, unknown>>, env: Readonly<Record<string, string>> = {}): Config {
  const flags = Object.fromEntries(Object.entries(values).map(([key, value]) => [key, { value, flag: '--test' }]));
  return loadConfig({ flags: { config: null, values: flags }, env, cwd: '/work' }).config;
}

test('the primary is the folder, or the store that is named', () => {
  expect(openPrimaryStore(configOf({ 'storage.localPath': './kept' })).url).toBe('file:///work/kept');
  const named = { 'stores.offsite.url': 's3://acme/prod?region=eu-central-1' };
  expect(openPrimaryStore(configOf(named)).url).toBe('file:///work/backups');
  expect(openPrimaryStore(configOf(named, { LIFEBOAT_STORE: 'offsite' })).url).toBe('s3://acme/prod');
});

test('a name that is not there is refused with the nearest one', async () => {
  const config = configOf({ 'stores.offsite.url': 's3://acme/prod', 'storage.primary': 'ofsite' });
  const error = await caught(() => openPrimaryStore(config));
  expect(error).toMatchObject({ code: 'STORE_UNKNOWN', details: { known: ['offsite'] } });
  expect(error.hint).toContain('offsite');
});

test('a bucket where a folder belongs is refused instead of becoming a folder', async () => {
  const error = await caught(() => openPrimaryStore(configOf({}, { BACKUP_PATH: 's3://acme/prod' })));
  expect(error.code).toBe('STORE_URL_INVALID');
  expect(error.hint).toContain('storage.primary');
});

test('half of the credentials is refused: the other half would be somebody else’s', async () => {
  const config = configOf({
    'stores.offsite.url': 's3://acme/prod',
    'stores.offsite.credentials.accessKey': 'AKIA',
  });
  const error = await caught(() => openNamedStore(config, 'offsite'));
  expect(error).toMatchObject({ code: 'CONFIG_INVALID' });
  expect(error.message).toContain('secretKey is missing');
});

test('a rate of nothing is no limit', async () => {
  const store = openNamedStore(configOf({ 'stores.here.url': 'memory:', 'stores.here.rateLimit': 0 }), 'here');
  await store.put('a', Buffer.alloc(1_000_000));
  expect((await store.head('a'))?.sizeBytes).toBe(1_000_000);
});
