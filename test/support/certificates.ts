import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';

/** A certificate of `localhost` that is its own authority, as files in a folder. */
export async function makeCertificate(
  folder: string,
): Promise<{ readonly certPath: string; readonly keyPath: string }> {
  const [certPath, keyPath] = [join(folder, 'cert.pem'), join(folder, 'key.pem')];
  const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1'];
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-keyout', keyPath];
  await promisify(execFile)('openssl', ['req', '-x509', ...key, '-out', certPath, '-days', '2', ...subject]);
  return { certPath, keyPath };
}
