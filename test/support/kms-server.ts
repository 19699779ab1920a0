/** AWS KMS on this machine (moto) for tests: real encryption bound to its context, no network. It lets everybody in. */
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import './one-realm.ts';
import { KMS } from '@aws-crypto/client-node';
import { startGuarded } from '../../src/embedded/local-server.ts';
import { freePort } from '../../src/platform/ports.ts';
import { resolveTools } from './tools.ts';

export interface TestKms {
  readonly endpoint: string;
  readonly region: string;
  /** The environment of whoever uses it. */
  readonly env: Readonly<Record<string, string>>;
  /** ARN of a new key. */
  createKey(): Promise<string>;
  /** Makes the alias, or lets it name another key; gives its ARN. */
  setAlias(name: string, keyArn: string): Promise<string>;
  stop(): Promise<void>;
}

const REGION = 'eu-central-1';
const CREDENTIALS = { AWS_ACCESS_KEY_ID: 'AKIALIFEBOATKMS', AWS_SECRET_ACCESS_KEY: 'test-secret-of-the-kms' };

export async function startKms(): Promise<TestKms> {
  const { python, folder } = await resolveTools().kmsServer();
  const work = await mkdtemp(join(tmpdir(), 'lifeboat-test-kms-'));
  const port = await freePort();
  const endpoint = `http://127.0.0.1:${port}`;
  const child = await startGuarded({
    name: 'moto',
    command: python,
    args: ['-m', 'moto.server', '-H', '127.0.0.1', '-p', String(port)],
    env: { PATH: process.env['PATH'] ?? '', HOME: work, PYTHONPATH: folder, PYTHONDONTWRITEBYTECODE: '1' },
    cwd: work,
    isReady: async () => (await fetch(`${endpoint}/moto-api/`)).ok,
  });
  const credentials = {
    accessKeyId: CREDENTIALS.AWS_ACCESS_KEY_ID,
    secretAccessKey: CREDENTIALS.AWS_SECRET_ACCESS_KEY,
  };
  const client = new KMS({ region: REGION, endpoint, credentials });
  return {
    endpoint,
    region: REGION,
    env: CREDENTIALS,
    async createKey() {
      const { KeyMetadata } = await client.createKey({});
      return KeyMetadata?.Arn ?? '';
    },
    async setAlias(name, keyArn) {
      const AliasName = `alias/${name}`;
      await client.deleteAlias({ AliasName }).catch(() => undefined);
      await client.createAlias({ AliasName, TargetKeyId: keyArn });
      return keyArn.replace(/key\/.*$/, AliasName);
    },
    async stop() {
      client.destroy();
      await child.end();
      await rm(work, { recursive: true, force: true });
    },
  };
}

/** A server that answers each request with one error of the protocol. */
export async function startRefusingKms(): Promise<{
  readonly endpoint: string;
  refuseWith(status: number, type: string, message?: string): void;
  close(): Promise<void>;
}> {
  let answer = { status: 400, body: '{}' };
  const server = createServer((request, response) => {
    request.resume();
    response.writeHead(answer.status, { 'content-type': 'application/x-amz-json-1.1' }).end(answer.body);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the server does not listen');
  return {
    endpoint: `http://127.0.0.1:${address.port}`,
    refuseWith: (status, type, message = 'planted') =>
      void (answer = { status, body: JSON.stringify({ __type: type, message }) }),
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
