import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { NO_PROFILE_FILE, temporalVariables } from '../../../src/embedded/temporal-server.ts';
import { addressOfEnvironment, connectionSettings, localTemporal } from '../../../src/temporal/connection.ts';

const CLOUD = {
  TEMPORAL_ADDRESS: 'cloud.example:7233',
  TEMPORAL_NAMESPACE: 'prod',
  TEMPORAL_TLS: 'true',
  TEMPORAL_API_KEY: 'key',
  TEMPORAL_CONFIG_FILE: NO_PROFILE_FILE,
};

describe('settings of a connection to Temporal', () => {
  let folder = '';
  beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'lifeboat-test-temporal-'))));
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  test('are taken from the variables that are given', () => {
    const { options, namespace } = connectionSettings({ env: CLOUD });
    expect({ ...options, namespace }).toMatchObject({
      address: 'cloud.example:7233',
      namespace: 'prod',
      apiKey: 'key',
    });
    expect(options.tls).toBeTruthy();
    expect(addressOfEnvironment(CLOUD)).toBe('cloud.example:7233');
    expect(addressOfEnvironment({ ...CLOUD, TEMPORAL_ADDRESS: undefined })).toBeUndefined();
  });

  test('for a server of our own are its address and nothing else', () => {
    expect(connectionSettings(localTemporal('127.0.0.1:1234'))).toEqual({
      options: { address: '127.0.0.1:1234' },
      namespace: 'default',
    });
  });

  test("of a process that uses such a server leave a person's profile out", () => {
    const file = join(folder, 'temporal.toml');
    writeFileSync(file, '[profile.default]\naddress = "cloud.example:7233"\napi_key = "key"\nnamespace = "prod"\n');
    expect(connectionSettings({ env: { TEMPORAL_CONFIG_FILE: file } }).options.apiKey).toBe('key');
    const { options, namespace } = connectionSettings({
      env: { TEMPORAL_CONFIG_FILE: file, ...temporalVariables('127.0.0.1:1234') },
    });
    expect([options.address, options.apiKey, options.tls, namespace]).toEqual([
      '127.0.0.1:1234',
      undefined,
      undefined,
      'default',
    ]);
  });

  test('that cannot be read are an error of the configuration', () => {
    const file = join(folder, 'temporal.toml');
    writeFileSync(file, '[profile.other]\naddress = "a:1"\n');
    const env = { TEMPORAL_CONFIG_FILE: file, TEMPORAL_PROFILE: 'none-such' };
    expect(() => connectionSettings({ env })).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID' }));
  });
});
