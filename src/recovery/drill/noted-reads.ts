import type { Manifest } from '../../domain/backup.ts';
import type { ReplaySources } from '../replay/replay-sources.ts';

type Repository = Awaited<ReturnType<ReplaySources['repository']>>;

export interface NotedReads {
  readonly sources: ReplaySources;
  /** Manifests of which every artifact was read to its end: each object had its size, its digest, its tags and its checksum. */
  whole(): readonly Manifest[];
}

/** Notes which artifacts are read to their ends, and gives everything on as it is. */
export function noteReads(sources: ReplaySources): NotedReads {
  const ended = new Map<string, { readonly manifest: Manifest; readonly artifacts: Set<string> }>();
  const noting = (repository: Repository): Repository => ({
    ...repository,
    readArtifact(manifest, component, name, operation) {
      const stream = repository.readArtifact(manifest, component, name, operation);
      stream.once('end', () => {
        const known = ended.get(manifest.id) ?? { manifest, artifacts: new Set<string>() };
        known.artifacts.add(`${component}/${name}`);
        ended.set(manifest.id, known);
      });
      return stream;
    },
  });
  return {
    sources: { ...sources, repository: async () => noting(await sources.repository()) },
    whole: () => [...ended.values()].filter(isWhole).map(({ manifest }) => manifest),
  };
}

function isWhole({ manifest, artifacts }: { manifest: Manifest; artifacts: ReadonlySet<string> }): boolean {
  return (['postgres', 'redis'] as const).every((component) =>
    (manifest.components[component]?.artifacts ?? []).every(({ name }) => artifacts.has(`${component}/${name}`)),
  );
}
