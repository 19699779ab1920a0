import { Readable } from 'node:stream';
import type { Artifact, ComponentName, Manifest } from '../../domain/backup.ts';
import { LifeboatError } from '../../domain/errors.ts';
import type { DataKey } from '../../encryption/data-key.ts';
import type { Operation } from '../../domain/operation.ts';
import { openBackupKey } from '../backup/backup-key.ts';
import type { RepositoryContext } from '../context.ts';
import { readObject } from '../objects/object-reader.ts';

/** Held ready for the reader, besides what is decompressed ahead. */
const CHUNKS_AHEAD = 1;

/**
 * An artifact's bytes, object after object; the stream ends with an error when anything is not as it was written. Its chunks
 * stay as they are, for a stream of bytes would copy those that wait into one, and belong to the reader.
 */
export function readArtifact(
  context: RepositoryContext,
  wanted: { readonly manifest: Manifest; readonly component: ComponentName; readonly name: string },
  operation: Operation,
): Readable {
  return Readable.from(artifactBytes(context, wanted, operation), { objectMode: true, highWaterMark: CHUNKS_AHEAD });
}

async function* artifactBytes(
  context: RepositoryContext,
  wanted: { readonly manifest: Manifest; readonly component: ComponentName; readonly name: string },
  operation: Operation,
): AsyncGenerator<Buffer> {
  const { manifest, component, name } = wanted;
  const artifact = requireArtifact(manifest, component, name);
  const place = {
    backupId: manifest.id,
    compression: artifact.compression,
    dataKey: await keyOf(context, manifest),
    signal: operation.signal,
  };
  let bytes = 0;
  for (const object of artifact.objects) {
    for await (const chunk of readObject(context.store, object, place)) {
      operation.signal.throwIfAborted();
      bytes += chunk.length;
      operation.onProgress({ phase: 'reading', object: name, bytes, totalBytes: artifact.plainBytes });
      yield chunk;
    }
  }
}

/** The data key of an encrypted backup; undefined for one that is not. */
export async function keyOf(context: RepositoryContext, manifest: Manifest): Promise<DataKey | undefined> {
  const { encryption, keyCheckValue } = manifest.codec;
  return encryption === 'none' ? undefined : openBackupKey(context, manifest.id, keyCheckValue);
}

function requireArtifact(manifest: Manifest, component: ComponentName, name: string): Artifact {
  const artifact = manifest.components[component]?.artifacts.find((candidate) => candidate.name === name);
  if (artifact !== undefined) return artifact;
  throw new LifeboatError('ARTIFACT_NOT_FOUND', `backup ${manifest.id}: no artifact ${name} of ${component}`, {
    details: { backupId: manifest.id, component, name },
  });
}
