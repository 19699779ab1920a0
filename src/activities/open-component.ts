import type { CopyResult } from '../contract/activities.ts';
import type { Artifact, ComponentName, PostgresFacts, RedisFacts } from '../domain/backup.ts';
import type { Operation } from '../domain/operation.ts';
import type { Codec, Repository } from '../repository/repository.ts';

/** The artifacts of one component as they come in, under an attempt number of their own. */
export interface OpenComponent {
  write(
    artifact: Pick<Artifact, 'name' | 'format' | 'attributes'> & { readonly producerCompression?: string },
    source: AsyncIterable<Uint8Array>,
  ): Promise<void>;
  close(facts: PostgresFacts | RedisFacts, point: CopyResult['point']): Promise<CopyResult>;
}

export async function openComponent(
  repository: Repository,
  component: {
    readonly backupId: string;
    readonly name: ComponentName;
    readonly codec: Codec;
    /** What an earlier attempt, which was finished, made of it. */
    readonly made?: readonly Artifact[];
  },
  operation: Operation,
): Promise<OpenComponent> {
  const { backupId, name, codec, made = [] } = component;
  const attempt = await repository.claimAttempt(backupId, name);
  const artifacts: Artifact[] = [...made];
  return {
    async write(artifact, source) {
      const request = { backupId, component: name, attempt, codec, ...artifact };
      artifacts.push(await repository.writeArtifact(request, source, operation));
    },
    async close(facts, point) {
      artifacts.sort((a, b) => a.name.localeCompare(b.name));
      const ref = await repository.writeComponent({
        backupId,
        component: name,
        attempt,
        facts,
        artifacts,
        takesOver: made.length > 0,
      });
      const bytes = artifacts.reduce((sum, artifact) => sum + artifact.plainBytes, 0);
      return { ref, point, bytes, warnings: [] };
    },
  };
}
