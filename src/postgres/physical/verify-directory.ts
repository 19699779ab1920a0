import { createReadStream } from 'node:fs';
import { join } from 'node:path';
import type { Check } from '../../domain/backup.ts';
import { LifeboatError } from '../../domain/errors.ts';
import type { Operation } from '../../domain/operation.ts';
import { systemErrorCode } from '../../platform/system-error.ts';
import { createMeter } from '../meter.ts';
import { parseBackupManifest, readManifestBytes, type ManifestFile } from './backup-manifest.ts';
import { createFileChecksum } from './file-checksum.ts';

/**
 * Reads every file of a data directory and compares it with the backup manifest that lies in it.
 * @throws LifeboatError POSTGRES_BASE_DAMAGED naming the file
 */
export async function verifyDirectory(directory: string, operation: Operation): Promise<Check> {
  const manifest = parseBackupManifest(
    await readManifestBytes(createReadStream(join(directory, 'backup_manifest')) as AsyncIterable<Buffer>),
  );
  const totalBytes = [...manifest.files.values()].reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  const meter = createMeter(operation, { totalBytes });
  meter.enter('checking the combined base');
  for (const [name, expected] of manifest.files) {
    operation.signal.throwIfAborted();
    const content = createReadStream(join(directory, name)) as AsyncIterable<Buffer>;
    await requireContent(
      name,
      expected,
      meter.count(content, () => name),
    );
  }
  const files = `${manifest.files.size} files`;
  const message = 'every file of the combined base has the size and the checksum of its backup manifest';
  return { name: 'combined base files', status: 'pass', expected: files, actual: files, message };
}

async function requireContent(
  name: string,
  { sizeBytes, checksumKind, checksum }: ManifestFile,
  content: AsyncIterable<Uint8Array>,
): Promise<void> {
  const sum = createFileChecksum(checksumKind);
  let bytes = 0;
  try {
    for await (const chunk of content) {
      bytes += chunk.byteLength;
      sum.update(chunk);
    }
  } catch (error) {
    if (systemErrorCode(error) !== 'ENOENT') throw error;
    throw damaged(`${name} is missing`);
  }
  if (bytes !== sizeBytes) throw damaged(`${name} has ${bytes} bytes, not the ${sizeBytes} of the manifest`);
  const found = sum.digest();
  if (found !== checksum) throw damaged(`${name} has the checksum ${found}, not the ${checksum} of the manifest`);
}

function damaged(what: string): LifeboatError {
  return new LifeboatError('POSTGRES_BASE_DAMAGED', `check a combined base: ${what}`);
}
