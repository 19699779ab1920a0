/** A real S3 server for tests (SeaweedFS): on free ports, in a private folder, and gone with the test process. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { request as secureRequest } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import './one-realm.ts';
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3';
import { startGuarded, type ServerCommand } from '../../src/embedded/local-server.ts';
import type { Child } from '../../src/platform/child-process.ts';
import { freePort } from '../../src/platform/ports.ts';
import type { S3Credentials } from '../../src/storage/s3/s3-location.ts';
import { resolveTools } from './tools.ts';

export interface TestS3 {
  readonly endpoint: string;
  readonly port: number;
  readonly credentials: S3Credentials;
  /** May read and list, and nothing else. */
  readonly readOnly: S3Credentials;
  /** Of the administrator, for what no store does: buckets, versions, damage. */
  readonly client: S3Client;
  /** A bucket of its own. */
  createBucket(name: string, options?: { readonly objectLock?: boolean }): Promise<void>;
  /** The URL of a store in a bucket; `endpoint` instead of the server's own, such as that of a proxy. */
  url(bucketAndPrefix: string, endpoint?: string): string;
  stop(): Promise<void>;
}

const CREDENTIALS = { accessKeyId: 'AKIALIFEBOATTEST', secretAccessKey: 'test-secret-of-the-store' };
const READ_ONLY: S3Credentials = { accessKeyId: 'AKIALIFEBOATREAD', secretAccessKey: 'test-secret-of-a-reader' };
/** Ports in one go can be taken between looking and binding. */
const START_TRIES = 3;

interface Tls {
  readonly certFile: string;
  readonly keyFile: string;
}

/** `tls`: on https with this certificate, which the process must trust. */
export async function startS3({ tls }: { readonly tls?: Tls } = {}): Promise<TestS3> {
  const program = await resolveTools().s3Server();
  const folder = await mkdtemp(join(tmpdir(), 'lifeboat-test-s3-'));
  await writeFile(join(folder, 'identities.json'), identities(), { mode: 0o600 });
  const { child, port } = await start(program, folder, tls);
  const endpoint = `${tls === undefined ? 'http' : 'https'}://127.0.0.1:${port}`;
  const client = new S3Client({ endpoint, region: 'us-east-1', forcePathStyle: true, credentials: CREDENTIALS });
  return {
    endpoint,
    port,
    credentials: CREDENTIALS,
    readOnly: READ_ONLY,
    client,
    async createBucket(name, options = {}) {
      await client.send(
        new CreateBucketCommand({ Bucket: name, ObjectLockEnabledForBucket: options.objectLock === true }),
      );
    },
    url: (bucketAndPrefix, other = endpoint) =>
      `s3://${bucketAndPrefix}?region=us-east-1&forcePathStyle=true&listing=folders&endpoint=${encodeURIComponent(other)}`,
    async stop() {
      client.destroy();
      await child.end();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

function identities(): string {
  const of = (name: string, credentials: S3Credentials, actions: readonly string[]): object => ({
    name,
    credentials: [{ accessKey: credentials.accessKeyId, secretKey: credentials.secretAccessKey }],
    actions,
  });
  const all = ['Admin', 'Read', 'Write', 'List', 'Tagging'];
  return JSON.stringify({ identities: [of('owner', CREDENTIALS, all), of('reader', READ_ONLY, ['Read', 'List'])] });
}

async function start(program: string, folder: string, tls: Tls | undefined): Promise<{ child: Child; port: number }> {
  for (let attempt = 1; ; attempt += 1) {
    const ports = await Promise.all(Array.from({ length: 8 }, async () => freePort()));
    try {
      return { child: await startGuarded(command(program, folder, { ports, tls })), port: ports[0] ?? 0 };
    } catch (error) {
      if (attempt === START_TRIES) throw error;
    }
  }
}

const PORT_OPTIONS = ['s3', 's3.grpc', 'filer', 'filer.grpc', 'volume', 'volume.grpc', 'master', 'master.grpc'];

function command(
  program: string,
  folder: string,
  { ports, tls }: { readonly ports: readonly number[]; readonly tls: Tls | undefined },
): ServerCommand {
  const portOf = (name: string): string =>
    name.endsWith('.grpc') ? `-${name.replace('.grpc', '.port.grpc')}` : `-${name}.port`;
  return {
    name: 'weed',
    command: program,
    args: [
      'server',
      ...options(folder),
      ...(tls === undefined ? [] : [`-s3.cert.file=${tls.certFile}`, `-s3.key.file=${tls.keyFile}`]),
      ...PORT_OPTIONS.flatMap((name, index) => [portOf(name), String(ports[index])]),
    ],
    cwd: folder,
    isReady: async () => (await statusOf(ports[0] ?? 0, tls === undefined ? request : secureRequest)) === 403,
  };
}

/** Without a signature nobody is let in: 403 says that the identities are loaded. */
async function statusOf(port: number, ask: typeof request): Promise<number> {
  return new Promise((resolve, reject) => {
    const asking = ask({ host: '127.0.0.1', port, path: '/', timeout: 2_000 }, (answer) => {
      answer.resume();
      resolve(answer.statusCode ?? 0);
    });
    asking
      .once('error', reject)
      .once('timeout', () => asking.destroy(new Error('no answer')))
      .end();
  });
}

function options(folder: string): string[] {
  return [
    `-dir=${folder}`,
    '-ip=127.0.0.1',
    '-ip.bind=127.0.0.1',
    '-s3',
    `-s3.config=${join(folder, 'identities.json')}`,
    '-s3.port.iceberg=0',
    '-s3.port.lance=0',
    '-s3.autoCreateBucket=false',
    '-volume.max=200',
    '-master.volumeSizeLimitMB=128',
    '-master.telemetry=false',
  ];
}
