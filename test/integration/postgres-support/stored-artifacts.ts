import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { ArtifactSink, ArtifactSource } from '../../../src/postgres/postgres.ts';

export interface StoredArtifact {
  readonly name: string;
  readonly format: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly producerCompression?: string;
  readonly sha256: string;
}

/** The smallest thing that can take a dump and give it back: a file per artifact, complete or not there. */
export async function createStore(): Promise<{
  readonly artifacts: StoredArtifact[];
  readonly sink: ArtifactSink;
  readonly source: ArtifactSource;
  path(name: string): string;
  remove(): Promise<void>;
}> {
  const folder = await mkdtemp(join(tmpdir(), 'lifeboat-artifacts-'));
  const artifacts: StoredArtifact[] = [];
  const path = (name: string): string => join(folder, name);
  return {
    artifacts,
    path,
    async sink(artifact, source) {
      const hash = createHash('sha256');
      async function* hashed(): AsyncGenerator<Uint8Array> {
        for await (const chunk of source) {
          hash.update(chunk);
          yield chunk;
        }
      }
      await pipeline(hashed(), createWriteStream(path(artifact.name)));
      artifacts.push({ ...artifact, sha256: hash.digest('hex') });
    },
    source: (name) => createReadStream(path(name)),
    remove: async () => rm(folder, { recursive: true, force: true }),
  };
}
