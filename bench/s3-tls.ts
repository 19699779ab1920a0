import { chmod, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { runChild } from '../src/platform/child-process.ts';
import type { ObjectStore } from '../src/storage/object-store.ts';
import { createS3Store } from '../src/storage/s3-store.ts';
import { startS3 } from '../test/support/s3-server.ts';

/** An S3 server of this machine behind TLS, with a certificate of its own that this process trusts. */
export interface TlsS3 {
  store(prefix: string): ObjectStore;
  /** Lines of pgBackRest's configuration for the same bucket. */
  readonly pgBackRest: readonly string[];
  stop(): Promise<void>;
}

const BUCKET = 'bench';

export async function startTlsS3(folder: string): Promise<TlsS3> {
  const [certFile, keyFile] = [join(folder, 's3-tls.crt'), join(folder, 's3-tls.key')];
  await makeCertificate(certFile, keyFile);
  setDefaultCACertificates([...getCACertificates('default'), await readFile(certFile, 'utf8')]);
  const server = await startS3({ tls: { certFile, keyFile } });
  await server.createBucket(BUCKET);
  const { credentials, port } = server;
  return {
    store: (prefix) => createS3Store(server.url(`${BUCKET}/${prefix}`), { credentials }),
    pgBackRest: [
      'repo1-type=s3',
      'repo1-path=/pgbackrest',
      `repo1-s3-bucket=${BUCKET}`,
      // It compares names alone with the certificate, and no addresses.
      'repo1-s3-endpoint=localhost',
      `repo1-storage-port=${port}`,
      `repo1-storage-ca-file=${certFile}`,
      'repo1-s3-region=us-east-1',
      'repo1-s3-uri-style=path',
      `repo1-s3-key=${credentials.accessKeyId}`,
      `repo1-s3-key-secret=${credentials.secretAccessKey}`,
    ],
    stop: async () => server.stop(),
  };
}

async function makeCertificate(certFile: string, keyFile: string): Promise<void> {
  const config = join(certFile.replace(/[^/]+$/, ''), 's3-tls.cnf');
  const lines = ['[req]', 'distinguished_name=name', 'x509_extensions=own', '[name]', '[own]'];
  await writeFile(
    config,
    [...lines, 'subjectAltName=IP:127.0.0.1,DNS:localhost', 'basicConstraints=CA:TRUE', ''].join('\n'),
  );
  const { exit } = await runChild({
    name: 'openssl',
    command: 'openssl',
    args: [
      'req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=127.0.0.1'.split(' '),
      ['-config', config, '-keyout', keyFile, '-out', certFile],
    ].flat(),
    signal: new AbortController().signal,
  });
  if (exit.code !== 0) throw new Error(`openssl: exit ${exit.code}: ${exit.stderrTail}`);
  await chmod(certFile, 0o644);
}
